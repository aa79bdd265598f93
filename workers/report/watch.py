"""Follows a run to its end, and shows how far it has come."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace

from neo4j.exceptions import DriverError, Neo4jError
from rich import progress
from rich.console import Console

from loaders.errors import ChartfleetError
from loaders.graph import Graph
from loaders.ledger import UNDER_WAY, Ledger, RunInfo, RunState
from loaders.writer import keep_claim
from workers.fleet.local import LocalFleet
from workers.report.progress import Progress
from workers.report.report import full_memory
from workers.report.silence import silent_workers

POLL_SECONDS = 0.2
LINE_SECONDS = 5  # at least, between lines where there is no terminal to draw on
LEASES_SECONDS = 1  # between checks of the workers' heartbeats
CLAIM_SECONDS = 10


class RunLost(ChartfleetError):
    """The broker no longer knows the run."""


def until_the_end(ledger: Ledger, graph: Graph, console: Console, fleet: LocalFleet | None) -> RunInfo:
    """Returns when the run is over, however it ended. Keeps the run's claim on the graph and the local fleet alive."""
    view = _View(ledger, console)
    next_claim = time.monotonic()
    with view.bar:
        while True:
            info = ledger.info()
            if info is None or info.state not in UNDER_WAY:
                break
            view.show(info)
            if time.monotonic() >= next_claim:
                next_claim = time.monotonic() + CLAIM_SECONDS
                _keep_claim(graph, info.id)
            if fleet is not None:
                fleet.watch()
            time.sleep(POLL_SECONDS)
    if info is None:
        raise RunLost(
            f"run {ledger.run} is lost: the broker no longer knows it (was it emptied?). "
            "The graph has lost nothing; start a new run with `chartfleet sync`"
        )
    return info


class _View:
    """A progress bar on a terminal; elsewhere a line whenever something has changed."""

    def __init__(self, ledger: Ledger, console: Console) -> None:
        self.bar = progress.Progress(
            progress.SpinnerColumn(),
            progress.TextColumn("{task.description}"),
            progress.BarColumn(24),
            progress.TextColumn("{task.fields[status]}", markup=False),
            progress.TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._ledger, self._console = ledger, console
        self._task = self.bar.add_task(f"Run {ledger.run}", total=None, status="starting")
        self._latest: Progress | None = None
        self._shown: tuple[object, ...] = ()
        self._next_line = self._next_leases = time.monotonic()

    def show(self, info: RunInfo) -> None:
        current = self._progress(info)
        settled = info.planned - info.open
        self.bar.update(self._task, completed=settled, total=info.planned if settled else None, status=str(current))
        now = time.monotonic()
        if not self._console.is_terminal and now >= self._next_line and current.change != self._shown:
            self._next_line, self._shown = now + LINE_SECONDS, current.change
            self._console.print(f"Run {info.id}: {current}", highlight=False, markup=False, soft_wrap=True)

    def _progress(self, info: RunInfo) -> Progress:
        """Leases, and the broker's memory, are read less often than the head of the run."""
        if self._latest is None or time.monotonic() >= self._next_leases:
            self._next_leases = time.monotonic() + LEASES_SECONDS
            holders = self._ledger.holders() if info.state is RunState.RUNNING else []
            full = full_memory(self._ledger, info)
            self._latest = Progress(info, sum(len(h.scopes) for h in holders), silent_workers(holders), full)
        return replace(self._latest, info=info)


def _keep_claim(graph: Graph, run: str) -> None:
    with suppress(DriverError, Neo4jError):  # the loader logs it, and waits as well
        keep_claim(graph, run)
