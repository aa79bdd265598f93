"""Figures as tables of Markdown: medians over the repetitions, and ratios to the peer in the same session."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from statistics import median
from typing import Final

from benchmarks.peer.session import Figures, Scenario, Session
from benchmarks.peer.tools import BROKER, GRAPH, PEER

_PER_SCOPE: Final = ("fetch", "loader")
_ROLES: Final = ("command", "coordinator", "fetch", "loader", "alone")


def comparison(session: Session) -> Iterable[str]:
    """A row per scenario and tool. `faster`: the peer's seconds by this tool's."""
    yield "| scenario | tool | wall s | faster | API calls | CPU s | peak MB | Neo4j CPU s | nodes | relationships |"
    yield "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|"
    for scenario in Scenario:
        for tool in tools(session):
            if runs := of(session, tool, scenario):
                cells = [
                    f"{seconds(runs):.1f}", ratio(session, tool, scenario),
                    f"{middle(runs, lambda one: one.calls):,.0f}", f"{middle(runs, cpu_seconds):.1f}",
                    f"{middle(runs, peak_mb):,.0f}", f"{middle(runs, lambda one: service_cpu(one, GRAPH)):.1f}",
                    f"{middle(runs, lambda one: one.nodes):,.0f}",
                    f"{middle(runs, lambda one: one.relationships):,.0f}",
                ]  # fmt: skip
                yield f"| {scenario} | {tool} | {' | '.join(cells)} |"


def by_role(session: Session) -> Iterable[str]:
    """Of Chartfleet: what each kind of process needs, in all and for each scope."""
    present = {role for one in session.figures if one.tool != PEER for role in one.roles}
    roles = [*(role for role in _ROLES if role in present), BROKER]
    head = [*(f"{role}: CPU s, MB" for role in roles), *(f"{role} ms a scope" for role in _PER_SCOPE)]
    yield f"| scenario | tool | scopes | {' | '.join(head)} |"
    yield "|---|---|---:|" + "---:|" * len(head)
    for scenario in Scenario:
        for tool in tools(session):
            runs = of(session, tool, scenario)
            if tool != PEER and runs:
                cells = [f"{middle(runs, lambda one: one.scopes):,.0f}"]
                cells += [f"{middle(runs, _cpu_of(role)):.1f}, {middle(runs, _mb_of(role)):,.0f}" for role in roles]
                cells += [f"{middle(runs, ms_per_scope(role)):.0f}" for role in _PER_SCOPE]
                yield f"| {scenario} | {tool} | {' | '.join(cells)} |"


def calls(session: Session) -> Iterable[str]:
    """How many of each service, of the first run."""
    runs = [(tool, found[0]) for tool in tools(session) if (found := of(session, tool, Scenario.EMPTY))]
    names = sorted({name for _, one in runs for name in one.by_service})
    yield f"| {Scenario.EMPTY}: calls | {' | '.join(names)} | at a time |"
    yield "|---|" + "---:|" * (len(names) + 1)
    for tool, one in runs:
        numbers = [f"{one.by_service.get(name, 0):,}" for name in names]
        yield f"| {tool} | {' | '.join(numbers)} | {one.max_in_flight} |"


def stages(session: Session) -> Iterable[str]:
    """Where the seconds of Chartfleet's runs went, as its report has them. Outside: before the run and after it."""
    names = list(dict.fromkeys(name for one in session.figures for name in one.stages))
    yield f"| scenario | tool | {' | '.join(names)} | outside |"
    yield "|---|---|" + "---:|" * (len(names) + 1)
    for scenario in Scenario:
        for tool in tools(session):
            runs = [one for one in of(session, tool, scenario) if one.stages]
            if runs:
                cells = [middle(runs, _stage(name)) for name in names]
                outside = middle(runs, lambda one: one.wall_seconds - sum(one.stages.values()))
                yield f"| {scenario} | {tool} | {' | '.join(f'{value:.1f}' for value in (*cells, outside))} |"


def one_more_scope(sessions: Sequence[Session]) -> Iterable[str]:
    """What a scope costs without what starting the processes costs: the slope between two estates, by role."""
    head = ["fetch", "loader", "others", "Neo4j"]
    yield f"| tool | from | to | ms a call | scopes | {' | '.join(f'{name} ms a scope' for name in head)} |"
    yield "|---|---|---|---:|---:|" + "---:|" * len(head)
    for smaller, larger in pairwise(sessions):
        for tool in tools(larger):
            less, more = of(smaller, tool, Scenario.EMPTY), of(larger, tool, Scenario.EMPTY)
            if tool == PEER or not less or not more or smaller.latency_ms != larger.latency_ms:
                continue
            scopes = [middle(runs, lambda one: one.scopes) for runs in (less, more)]
            if scopes[1] <= scopes[0]:
                continue
            values = [
                (middle(more, value) - middle(less, value)) * 1000 / (scopes[1] - scopes[0])
                for value in (_cpu_of("fetch"), _cpu_of("loader"), _cpu_of_others, _cpu_of(GRAPH))
            ]
            cells = [smaller.size, larger.size, f"{larger.latency_ms}", f"{scopes[0]:.0f} to {scopes[1]:.0f}"]
            yield f"| {tool} | {' | '.join([*cells, *(f'{value:.1f}' for value in values)])} |"


def ratio(session: Session, tool: str, scenario: Scenario) -> str:
    """How many times as fast as the peer; nothing where the peer wasn't measured."""
    runs, peers = of(session, tool, scenario), of(session, PEER, scenario)
    return f"{seconds(peers) / seconds(runs):.1f}" if runs and peers else ""


def tools(session: Session) -> list[str]:
    return list(dict.fromkeys(one.tool for one in session.figures))


def of(session: Session, tool: str, scenario: Scenario) -> list[Figures]:
    return [one for one in session.figures if (one.tool, one.scenario) == (tool, scenario)]


def seconds(runs: Sequence[Figures]) -> float:
    return middle(runs, lambda one: one.wall_seconds)


def middle(runs: Sequence[Figures], value: Callable[[Figures], float]) -> float:
    return median(value(one) for one in runs)


def cpu_seconds(figures: Figures) -> float:
    """Of the tool, with its broker where it has one."""
    return figures.cpu_seconds + service_cpu(figures, BROKER)


def peak_mb(figures: Figures) -> float:
    """The same of memory; the two peaks need not have been at the same time."""
    broker = figures.beside.get(BROKER)
    return (figures.peak_bytes + (broker.peak_bytes if broker else 0)) / 1e6


def service_cpu(figures: Figures, name: str) -> float:
    service = figures.beside.get(name)
    return service.cpu_seconds if service else 0.0


def ms_per_scope(role: str) -> Callable[[Figures], float]:
    return lambda one: _cpu_of(role)(one) * 1000 / max(1, one.scopes)


def _cpu_of(role: str) -> Callable[[Figures], float]:
    def seconds(figures: Figures) -> float:
        share = (figures.roles | figures.beside).get(role)
        return share.cpu_seconds if share else 0.0

    return seconds


def _stage(name: str) -> Callable[[Figures], float]:
    return lambda one: one.stages.get(name, 0.0)


def _cpu_of_others(figures: Figures) -> float:
    """Of the command, the coordinator and the broker."""
    roles = figures.roles | figures.beside
    return sum(share.cpu_seconds for role, share in roles.items() if role not in (*_PER_SCOPE, GRAPH))


def _mb_of(role: str) -> Callable[[Figures], float]:
    def mb(figures: Figures) -> float:
        share = (figures.roles | figures.beside).get(role)
        return share.peak_bytes / 1e6 if share else 0.0

    return mb
