"""The task of a scope: begin an attempt, fetch, record the outcome in the ledger. It never raises."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import redis

from loaders.ledger import Attempt, Fenced, Ledger, State
from loaders.reason import counted
from loaders.scope import Scope
from tasks.engine import registry
from tasks.engine.fetch import Fetching
from tasks.resource import Api, Tenant
from workers.fleet import own_settings
from workers.fleet.attempt import HandedOver, lease_of, result_of
from workers.fleet.process import Process
from workers.fleet.publisher import Publisher

log = logging.getLogger(__name__)

NOTHING_TO_DO: Final = "nothing to do: another attempt holds the scope, or it is settled"
NO_OUTCOME: Final = "the attempt ended without an outcome; the sweeper takes over when its lease expires"
_LONGEST_RESULT: Final = 200


def fetch(process: Process, run: str, scope: Scope, publisher: Publisher, stopping: Callable[[], bool]) -> str:
    """One attempt at a scope, unless another holds it or it is settled. Returns the outcome, for Flower."""
    ledger = process.ledger(run)
    try:
        attempt = ledger.begin(scope, lease_seconds=process.settings.lease_seconds, worker=process.name)
        if attempt is None:
            return left(process, ledger) or NOTHING_TO_DO
        _run(process, run, _fetching(process, ledger, attempt, publisher), publisher, stopping)
        publisher.publish_scopes(run, ledger.parts(scope))
        return outcome(ledger, attempt)
    except Fenced:
        return lost(scope)
    except Exception as error:
        log.exception("%s: %s", scope.shown, NO_OUTCOME)
        return without_outcome(ledger, scope, error)


def _fetching(process: Process, ledger: Ledger, attempt: Attempt, publisher: Publisher) -> Fetching:
    scope = attempt.scope
    tenant = Tenant(**ledger.tenant(f"{scope.provider}/{scope.tenant}"))
    return Fetching(
        type=registry.types()[scope.type],
        attempt=attempt,
        connect=lambda: connect(process, tenant, scope.region),
        ledger=ledger,
        schema=registry.schema(),
        publish=lambda events: publisher.publish_events(ledger.run, events),
        limits=process.settings.fetch_limits,
    )


def _run(process: Process, run: str, fetching: Fetching, publisher: Publisher, stopping: Callable[[], bool]) -> None:
    """Raises Fenced where the attempt lost its scope."""
    attempt, work = fetching.attempt, process.submit(fetching.run())
    with lease_of(process, run, attempt, work):
        try:
            result_of(process, run, attempt, work, stopping=stopping, stalled=fetching.stalled)
        except HandedOver as over:
            publisher.publish_events(run, over.events)


async def connect(process: Process, tenant: Tenant, region: str) -> Api:
    """The API of a tenant, with nothing but what this worker's own settings name. Raises CallFailed."""
    own_settings.check_tenant(process.settings, tenant)
    return await registry.providers()[tenant.provider].connect(tenant, region, process.rate_limiter)


def outcome(ledger: Ledger, attempt: Attempt) -> str:
    """The outcome of an attempt, as the result of its task: to Celery, the task of a denied scope is a success."""
    unit = ledger.unit(attempt.scope)
    if unit is None or unit.attempt != attempt.number:
        return NOTHING_TO_DO
    match unit.state:
        case State.FETCHED | State.CLEANED:
            return "complete" if unit.scope.plans else f"complete: {counted(unit.rows, 'row')}"
        case State.PLANNED:
            return _short(f"given back: {unit.reason}")
        case state:
            return _short(f"{state}: {unit.reason}")


def without_outcome(ledger: Ledger, scope: Scope, error: Exception) -> str:
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


def lost(scope: Scope) -> str:
    log.info("%s: another attempt holds it, or the run ended", scope.shown)
    return "lost: another attempt holds the scope, or the run ended"


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_RESULT else f"{text[: _LONGEST_RESULT - 3]}..."
