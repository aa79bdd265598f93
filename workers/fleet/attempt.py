"""An attempt of this process: its lease is kept while it lives, and it ends in time, whatever it waits for or computes.

None of that depends on the event loop in which the attempt runs, or on the threads of its calls.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from typing import Final, TypeVar

from loaders.ledger import Attempt, Event, Fenced
from workers.fleet.lease import LeaseKeeper
from workers.fleet.process import Process

log = logging.getLogger(__name__)
T = TypeVar("T")

SHUTDOWN: Final = "the worker is shutting down"
_TICK_SECONDS: Final = 0.25


class HandedOver(Exception):
    """The scope was given back, or given up. `events`: what has to be published."""

    def __init__(self, events: list[Event]) -> None:
        super().__init__()
        self.events = events


def lease_of(process: Process, run: str, attempt: Attempt, work: Future[T]) -> LeaseKeeper:
    """Keeps the lease of an attempt for the length of the block, and cancels its work where the lease is lost."""
    ledger, seconds = process.heartbeat_ledger(run), process.settings.lease_seconds

    def renew() -> bool:
        # One that has just recorded its outcome has lost nothing: it still publishes what follows.
        return ledger.renew(attempt, lease_seconds=seconds) or ledger.has_ended(attempt)

    return LeaseKeeper(attempt.scope.id, lease_seconds=seconds, renew=renew, on_lost=work.cancel)


def result_of(
    process: Process,
    run: str,
    attempt: Attempt,
    work: Future[T],
    *,
    stopping: Callable[[], bool],
    stalled: Callable[[], str] = str,
) -> T:
    """What the work returns. `stalled`: why the attempt has to be given up, or "".

    Raises Fenced where the lease was lost; HandedOver where the worker shuts down, or the attempt was given up.
    """
    end = time.monotonic() + process.settings.overtime_seconds
    while True:
        try:
            return work.result(timeout=_TICK_SECONDS)
        except CancelledError:
            raise Fenced(attempt.scope.id) from None
        except TimeoutError:
            if work.done():  # it is the work's own
                raise
        if stopping():
            raise HandedOver(_give_back(process, run, attempt, work))
        late = f"not done after {process.settings.overtime_seconds:,.0f} s" if time.monotonic() > end else ""
        if reason := stalled() or late:
            events = _give_up(process, run, attempt, work, reason)
            _wait_for_loop(process, stopping)
            raise HandedOver(events)


def _give_back(process: Process, run: str, attempt: Attempt, work: Future[T]) -> list[Event]:
    """The worker shuts down: another one may begin the scope at once. Raises Fenced, RedisError."""
    try:
        return process.heartbeat_ledger(run).later(attempt, wait_seconds=0, reason=SHUTDOWN)
    finally:
        work.cancel()


def _give_up(process: Process, run: str, attempt: Attempt, work: Future[T], reason: str) -> list[Event]:
    """Leave the scope to another attempt. Raises Fenced, RedisError."""
    log.error("%s: %s; the attempt is given up", attempt.scope.shown, reason)
    max_crashes = process.settings.max_crashes
    try:
        return process.heartbeat_ledger(run).given_up(attempt, max_crashes=max_crashes, reason=reason)
    finally:
        work.cancel()


def _wait_for_loop(process: Process, stopping: Callable[[], bool]) -> None:
    """Wait until this process can do something else. Where its code computes for ever, the time limit ends it."""
    free = process.submit(asyncio.sleep(0))
    while not free.done() and not stopping():
        with suppress(TimeoutError):
            free.result(timeout=_TICK_SECONDS)
