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

import redis

from loaders.ledger import Attempt, Event, Fenced, Ledger, State, Unit
from loaders.reason import counted
from loaders.scope import Scope
from workers.fleet.alone import ProcessEnded
from workers.fleet.lease import LeaseKeeper
from workers.fleet.process import Process
from workers.fleet.publisher import Publisher

log = logging.getLogger(__name__)
T = TypeVar("T")

Stopping = Callable[[], bool]  # whether the worker is shutting down
Work = Callable[[Process, Ledger, Attempt, Publisher, Stopping], None]  # of an attempt; it records its outcome itself

SHUTDOWN: Final = "the worker is shutting down"
NOTHING_TO_DO: Final = "nothing to do: another attempt holds the scope, or it is settled"
NO_OUTCOME: Final = "the attempt ended without an outcome; the sweeper takes over when its lease expires"
PUT_BEHIND: Final = "put behind those of other tenants: this tenant's scopes take long"
BEHIND_SECONDS: Final = 0.25  # what a message costs that goes round while nothing else is there
_TICK_SECONDS: Final = 0.25
_LONGEST_RESULT: Final = 200


class HandedOver(Exception):
    """The scope was given back, or given up. `events`: what has to be published."""

    def __init__(self, events: list[Event]) -> None:
        super().__init__()
        self.events = events


def make_attempt(process: Process, run: str, scope: Scope, publisher: Publisher, stopping: Stopping, work: Work) -> str:
    """One attempt at a scope, unless another holds it or it is settled. Returns the outcome, for Flower.

    A suspect gets a process to itself. It never raises.
    """
    ledger, tenant = process.ledger(run), scope.tenant_key
    try:
        if process.fair_share.is_used_up(tenant) and ledger.others_wait(scope):
            time.sleep(BEHIND_SECONDS)
            publisher.publish_scopes(run, [scope])
            return PUT_BEHIND
        begun = ledger.begin(scope, lease_seconds=process.settings.lease_seconds, worker=process.name)
        if begun is None:
            return left(process, ledger) or NOTHING_TO_DO
    except Exception as error:
        log.exception("%s: not begun", scope.shown)
        return _without_outcome(ledger, scope, error)
    with process.fair_share.attempt(tenant):
        return carry_out(process, ledger, begun, publisher, stopping, _alone if begun.suspect else work)


def carry_out(
    process: Process, ledger: Ledger, begun: Attempt, publisher: Publisher, stopping: Stopping, work: Work
) -> str:
    """The work of an attempt that has begun, and what follows from it. Returns the outcome; never raises."""
    scope = begun.scope
    try:
        work(process, ledger, begun, publisher, stopping)
        unit, parts = ledger.ended(scope)
        publisher.publish_scopes(ledger.run, parts)
        return _outcome(unit, begun)
    except Fenced:
        log.info("%s: another attempt holds it, or the run ended", scope.shown)
        return "lost: another attempt holds the scope, or the run ended"
    except Exception as error:
        log.exception("%s: %s", scope.shown, NO_OUTCOME)
        return _without_outcome(ledger, scope, error)


def _alone(process: Process, ledger: Ledger, attempt: Attempt, publisher: Publisher, stopping: Stopping) -> None:
    """The attempt in a process that it has to itself. Raises Fenced."""
    alone = process.alone
    done = alone.submit(ledger, attempt)
    try:
        with lease_of(process, ledger.run, attempt, on_lost=lambda: alone.abandon(attempt)):
            result_of(process, ledger.run, attempt, done, stopping=stopping)
    except HandedOver as over:
        publisher.publish_events(ledger.run, over.events)
    except ProcessEnded as ended:
        max_crashes = process.settings.max_crashes
        events = ledger.given_up(attempt, max_crashes=max_crashes, reason=str(ended), crashed=True)
        publisher.publish_events(ledger.run, events)
    finally:
        if not done.done():
            alone.abandon(attempt)


def lease_of(process: Process, run: str, attempt: Attempt, on_lost: Callable[[], object]) -> LeaseKeeper:
    """Keeps the lease of an attempt for the length of the block. `on_lost` ends its work."""
    ledger, seconds = process.heartbeat_ledger(run), process.settings.lease_seconds

    def renew() -> bool:
        # One that has just recorded its outcome has lost nothing: it still publishes what follows.
        return ledger.renew(attempt, lease_seconds=seconds) or ledger.has_ended(attempt)

    return LeaseKeeper(attempt.scope.id, lease_seconds=seconds, renew=renew, on_lost=on_lost)


def result_of(
    process: Process,
    run: str,
    attempt: Attempt,
    work: Future[T],
    *,
    stopping: Stopping,
    stalled: Callable[[], str] = str,
) -> T:
    """What the work returns. `stalled`: why the attempt has to be given up, or "".

    Raises Fenced where the lease was lost; HandedOver where the process ends, or the attempt was given up.
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
        if process.watchdog.ending and process.watchdog.culprit == attempt.scope.id:
            raise HandedOver(_give_up(process, run, attempt, work, process.watchdog.ending))
        if stopping() or process.watchdog.ending:
            raise HandedOver(_give_back(process, run, attempt, work))
        late = f"not done after {process.settings.overtime_seconds:,.0f} s" if time.monotonic() > end else ""
        if reason := stalled() or late:
            events = _give_up(process, run, attempt, work, reason)
            _wait_for_loop(process, stopping)
            raise HandedOver(events)


def _give_back(process: Process, run: str, attempt: Attempt, work: Future[T]) -> list[Event]:
    """The process ends: another one may begin the scope at once. Raises Fenced, RedisError."""
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


def _wait_for_loop(process: Process, stopping: Stopping) -> None:
    """Wait until the event loop can do something else: it must take on no other scope before."""
    free = process.loop.submit(asyncio.sleep(0))
    while not free.done() and not stopping():
        with suppress(TimeoutError):
            free.result(timeout=_TICK_SECONDS)


def _outcome(unit: Unit | None, attempt: Attempt) -> str:
    """The outcome of an attempt, as the result of its task: to Celery, the task of a denied scope is a success."""
    if unit is None or unit.attempt != attempt.number:
        return NOTHING_TO_DO
    match unit.state:
        case State.FETCHED | State.CLEANED:
            return "complete" if unit.scope.plans else f"complete: {counted(unit.rows, 'row')}"
        case State.PLANNED:
            return _short(f"given back: {unit.reason}")
        case state:
            return _short(f"{state}: {unit.reason}")


def _without_outcome(ledger: Ledger, scope: Scope, error: Exception) -> str:
    """The attempt raised what it should not. That is counted: `status` and `health` show what fails again and again."""
    with suppress(redis.RedisError):
        ledger.failed_again(scope.id, error)
    return f"{NO_OUTCOME} ({type(error).__name__})"


def left(process: Process, ledger: Ledger) -> str | None:
    """The result of a task whose run is another version's: nothing of it is touched, its sweeper publishes it again."""
    text = ledger.leave(process.name)
    if text:
        log.warning("run %s: %s", ledger.run, text)
    return text


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_RESULT else f"{text[: _LONGEST_RESULT - 3]}..."
