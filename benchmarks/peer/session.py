"""One session: an estate and a latency, and both tools on it in turn. Ratios are taken of figures of one session."""

from __future__ import annotations

import datetime
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from benchmarks.peer import graph
from benchmarks.peer.estate import Size
from benchmarks.peer.simulation import Simulation, simulated
from benchmarks.peer.tools import Tool
from benchmarks.peer.usage import Share
from workers import embedded


class Scenario(StrEnum):
    """What is in the graph before a run, and what its Neo4j has planned before."""

    EMPTY = "first run, plans warm"
    UNCHANGED = "second run, nothing changed"
    CHANGED = "second run, 1% changed"
    FRESH = "first run, fresh graph"  # a new Neo4j: no index, no plan, nothing compiled


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Of one run of one tool. Bytes are resident memory; `forwarded` calls waited for the simulator, and should be 0.

    `roles`: of the tool's own processes; `beside`: of the services.
    """

    tool: str
    scenario: Scenario
    wall_seconds: float
    calls: int
    by_service: dict[str, int]  # calls
    forwarded: int
    max_in_flight: int
    cpu_seconds: float
    peak_bytes: int
    nodes: int
    relationships: int
    scopes: int
    rows: int
    stages: dict[str, float]  # seconds of each, as the tool reports them
    roles: dict[str, Share]
    beside: dict[str, Share]
    proxy_cpu_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """`load`: of the machine, over the last minute before it began; what else ran then is in the figures."""

    size: str
    latency_ms: int
    at: str
    load: float
    changed: int  # resources that were changed for each run with changes; 0: no such run
    figures: list[Figures] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Session:
        return cls(**{**stored, "figures": [_figures(one) for one in stored["figures"]]})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is measured of a tool."""

    tool: Tool
    scenarios: frozenset[Scenario]


_ON_WARM_PLANS: Final = (Scenario.EMPTY, Scenario.UNCHANGED, Scenario.CHANGED)  # each goes on from the last one's graph


def run(
    size: Size, latency_ms: int, wanted: Sequence[Wanted], *, repetitions: int = 1, warm_up_runs: int = 2
) -> Session:
    """Before any is measured, each kind of tool runs `warm_up_runs` times without latency: on an empty graph, and on
    what it has filled. So its calls are in memory, Neo4j has its plans, and Java has compiled what they need.

    Raises tools.Failed.
    """
    at = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    load = os.getloadavg()[0]
    _say(f"estate {size}, {latency_ms} ms a call")
    with simulated(size) as simulation:
        bench = _Bench(simulation, latency_ms / 1000)
        figures = [*bench.on_warm_plans(wanted, repetitions, warm_up_runs), *bench.on_fresh_graphs(wanted, repetitions)]
        return Session(size=str(size), latency_ms=latency_ms, at=at, load=load, changed=bench.changed, figures=figures)


@dataclass(slots=True)
class _Bench:
    simulation: Simulation
    latency_seconds: float
    changed: int = 0
    _graphs: int = 0

    def on_warm_plans(self, wanted: Sequence[Wanted], repetitions: int, warm_up_runs: int) -> Iterator[Figures]:
        """All tools in turn on one Neo4j, which is emptied before each."""
        with graph.new_services(self._new_directory()) as services:
            self.simulation.proxy.latency(0)
            for tool in {type(one.tool): one.tool for one in reversed(wanted)}.values():
                graph.empty(services)
                for _ in range(warm_up_runs):
                    _say(f"  {tool.name}: before it is measured")
                    tool.sync(self.simulation.place(services))
            for _ in range(repetitions):
                for one in wanted:
                    yield from self._in_order(one, services)

    def on_fresh_graphs(self, wanted: Sequence[Wanted], repetitions: int) -> Iterator[Figures]:
        for one in [one for one in wanted if Scenario.FRESH in one.scenarios] * repetitions:
            with graph.new_services(self._new_directory()) as services:
                yield self._run(one.tool, Scenario.FRESH, services)

    def _in_order(self, wanted: Wanted, services: embedded.Services) -> Iterator[Figures]:
        graph.empty(services)
        last = max((_ON_WARM_PLANS.index(one) for one in wanted.scenarios if one in _ON_WARM_PLANS), default=-1)
        for scenario in _ON_WARM_PLANS[: last + 1]:
            if scenario is Scenario.CHANGED:
                self.changed = self.simulation.estate.change()
                self.simulation.proxy.refresh()
            figures = self._run(wanted.tool, scenario, services)
            if scenario in wanted.scenarios:
                yield figures

    def _run(self, tool: Tool, scenario: Scenario, services: embedded.Services) -> Figures:
        self.simulation.proxy.latency(self.latency_seconds)
        self.simulation.proxy.reset()
        done = tool.sync(self.simulation.place(services))
        counters, usage, written = self.simulation.proxy.counters(), done.usage, graph.written(services)
        figures = Figures(
            tool=tool.name,
            scenario=scenario,
            wall_seconds=usage.wall_seconds,
            calls=counters.calls,
            by_service=counters.by_service,
            forwarded=counters.forwarded,
            max_in_flight=counters.max_in_flight,
            cpu_seconds=usage.cpu_seconds,
            peak_bytes=usage.peak_bytes,
            nodes=written.nodes,
            relationships=written.relationships,
            scopes=done.scopes,
            rows=done.rows,
            stages=done.stages,
            roles=usage.roles,
            beside=usage.beside,
            proxy_cpu_seconds=counters.cpu_seconds,
        )
        _say(f"  {tool.name}, {scenario}: {usage.wall_seconds:.1f} s, {counters.calls:,} calls")
        return figures

    def _new_directory(self) -> Path:
        self._graphs += 1
        return self.simulation.directory / f"services-{self._graphs}"


def _figures(stored: dict[str, Any]) -> Figures:
    shares = {group: {role: Share(**share) for role, share in stored[group].items()} for group in ("roles", "beside")}
    return Figures(**{**stored, "scenario": Scenario(stored["scenario"]), **shares})


def _say(line: str) -> None:
    print(f"{datetime.datetime.now().astimezone():%H:%M:%S} {line}", file=sys.stderr, flush=True)
