"""Follows a run to its end, and shows how far it has come."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import suppress

from neo4j.exceptions import DriverError, Neo4jError
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from loaders import coverage
from loaders.graph import Graph
from loaders.ledger import Ledger, RunInfo, RunState, State
from loaders.writer import keep_claim
from workers.fleet.local import LocalFleet

POLL_SECONDS = 0.2
LINE_SECONDS = 5  # between lines where there is no terminal to draw on
CLAIM_SECONDS = 10


class RunLost(Exception):
    """The broker no longer knows the run."""


def until_the_end(ledger: Ledger, graph: Graph, console: Console, fleet: LocalFleet | None) -> RunInfo:
    """Returns when the run is over, however it ended. Keeps the run's claim on the graph and the local fleet alive."""
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(24),
        TextColumn("{task.fields[told]}"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    next_line = next_claim = time.monotonic()
    with bar:
        shown = bar.add_task(f"Run {ledger.run}", total=None, told="starting")
        while True:
            info = ledger.info()
            if info is None or info.state not in (RunState.RUNNING, RunState.ANALYSING):
                break
            settled = info.planned - info.open
            bar.update(shown, completed=settled, total=info.planned if settled else None, told=_told(info))
            now = time.monotonic()
            if not console.is_terminal and now >= next_line:
                next_line = now + LINE_SECONDS
                console.print(f"Run {info.id}: {_told(info)}", highlight=False, soft_wrap=True)
            if now >= next_claim:
                next_claim = now + CLAIM_SECONDS
                _keep_claim(graph, info.id)
            if fleet is not None:
                fleet.watch()
            time.sleep(POLL_SECONDS)
    if info is None:
        raise RunLost(f"the broker no longer knows run {ledger.run}: was it emptied?")
    return info


def _told(info: RunInfo) -> str:
    trouble = f"; {info.blocked_by}" if info.blocked_by else ""
    if info.state is RunState.ANALYSING:
        return f"{info.planned} scopes, analysing{trouble}"
    seen: Counter[str] = Counter()
    for state, count in info.counts.items():
        seen[coverage.status(State(state))] += count
    counted = ", ".join(f"{count} {status}" for status, count in sorted(seen.items()) if count)
    waiting = f"; {info.waiting} batches to load" if info.waiting else ""
    return (
        f"{info.planned - info.open} of {info.planned} scopes" + (f": {counted}" if counted else "") + waiting + trouble
    )


def _keep_claim(graph: Graph, run: str) -> None:
    with suppress(DriverError, Neo4jError):  # the loader says so in its log, and waits as well
        keep_claim(graph, run)
