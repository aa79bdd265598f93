"""benchmarks/RESULTS.md, from the sessions that were measured."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from benchmarks.peer import tables
from benchmarks.peer.results import Machine, Result, machines
from benchmarks.peer.session import Scenario, Session
from benchmarks.peer.tools import PEER
from tests.peer.cartography import SYNCS

PAGE: Final = Path(__file__).parents[1] / "RESULTS.md"

_HEAD: Final = """\
# Results

<!-- Written by `make bench` from results.json; changes by hand are lost. -->

Chartfleet and Cartography on the same simulated estate, through one HTTP proxy with the same latency
for each call, into the same Neo4j on the same machine, in turn. **Ratios within one session count;
absolute times depend on the machine**, and on what else it did: `load` is its load average when the
session began.

    make bench                       # every cell; the peer is installed once, in an environment of its own
    make bench CELLS=5x3:80          # 5 accounts x 3 regions, 80 ms a call
    make bench QUICK=1               # one small cell; prints, and writes nothing

How it is measured:

- The proxy answers from memory, so that the simulator is not what is measured. Before anything is
  measured, both tools have run twice without latency: on an empty graph and on a filled one.
- `first run, plans warm`: the graph is emptied before, the Neo4j process stays. `fresh graph`: a new
  Neo4j process without data, indexes or plans. Of the other scenarios each goes on from the graph of
  the one above it.
- Seconds are those of the whole command, from its start to its end. CPU is that of all processes of
  a tool, as the system accounts for it, with Redis; Neo4j's is listed apart. Memory is the largest
  sum of resident memory (RSS) of all processes of a tool, five times a second, with Redis.
- Both read what both can read from the simulated AWS. Their graphs differ in what they hold for the
  same resource, so nodes and relationships are context.
"""


def write(results: Sequence[Result], file: Path = PAGE) -> None:
    file.write_text(text(results))


def text(results: Sequence[Result]) -> str:
    known = machines(results)
    lines = [_HEAD, _types()]
    lines += [*_machines(known), "", *_overview(results), "", *_one_more_scope(results)]
    for one in results:
        lines += [*_session(one.session, known.index(one.machine) + 1), ""]
    return "\n".join(lines).rstrip() + "\n"


def _types() -> str:
    words = f"Types, by the peer's words for them: {', '.join(f'`{name}`' for name in SYNCS)}."
    return textwrap.fill(words, 100, break_on_hyphens=False) + "\n"


def _machines(known: Sequence[Machine]) -> Iterable[str]:
    yield "## Machines\n"
    yield "| | cores | memory | system | Python | Neo4j | Chartfleet | Cartography |"
    yield "|---|---:|---:|---|---|---|---|---|"
    for number, one in enumerate(known, start=1):
        memory = f"{one.memory_mb / 1000:.0f} GB"
        versions = f"{one.python} | {one.neo4j} | {one.chartfleet} | {one.peer}"
        yield f"| {number} | {one.cores} | {memory} | {one.system} | {versions} |"


def _overview(results: Sequence[Result]) -> Iterable[str]:
    """A column per number of fetch processes."""
    names = list(dict.fromkeys(tool for one in results for tool in tables.tools(one.session) if tool != PEER))
    yield f"## How many times as fast as the peer ({Scenario.EMPTY})\n"
    yield f"| accounts x regions | ms a call | {' | '.join(names)} |"
    yield "|---|---:|" + "---:|" * len(names)
    for one in results:
        ratios = [tables.ratio(one.session, name, Scenario.EMPTY) or "-" for name in names]
        yield f"| {one.session.size} | {one.session.latency_ms} | {' | '.join(ratios)} |"


def _one_more_scope(results: Sequence[Result]) -> Iterable[str]:
    by_latency = sorted((one.session for one in results), key=lambda one: one.latency_ms)  # each by size, as before
    rows = list(tables.one_more_scope(by_latency))
    if rows[2:]:
        yield f"## CPU time of one more scope ({Scenario.EMPTY})\n"
        yield "Starting the processes costs seconds of CPU time, however small the estate: these are the"
        yield "differences between two estates.\n"
        yield from rows
        yield ""


def _session(session: Session, machine: int) -> Iterable[str]:
    yield f"## {session.size}, {session.latency_ms} ms a call\n"
    yield f"Measured at {session.at} on machine {machine}, load {session.load:.1f}."
    if session.changed:
        yield f"Between the runs of `{Scenario.CHANGED}`, {session.changed} resources were changed."
    if slow := sum(one.forwarded for one in session.figures):
        yield f"Of all calls {slow:,} waited for the simulator, since the proxy didn't have them yet."
    yield ""
    yield from tables.comparison(session)
    yield ""
    yield from picture(session)
    yield ""
    yield from tables.by_role(session)
    yield ""
    yield from tables.stages(session)
    yield ""
    yield from tables.calls(session)


def picture(session: Session) -> Iterable[str]:
    """Seconds of the first run, a bar per tool."""
    runs = [(tool, found) for tool in tables.tools(session) if (found := tables.of(session, tool, Scenario.EMPTY))]
    names = ", ".join(f'"{tool.replace("Chartfleet, ", "").replace("fetch ", "")}"' for tool, _ in runs)
    yield "```mermaid"
    yield "xychart-beta"
    yield f'    title "{session.size}, {session.latency_ms} ms a call: seconds of a first run"'
    yield f"    x-axis [{names}]"
    yield '    y-axis "seconds" 0 --> ' + f"{max(tables.seconds(found) for _, found in runs) * 1.1:.0f}"
    yield f"    bar [{', '.join(f'{tables.seconds(found):.1f}' for _, found in runs)}]"
    yield "```"
