"""The work of an attempt at a scope: fetch, and record the outcome in the ledger."""

from __future__ import annotations

from loaders.ledger import Attempt, Ledger
from tasks.engine import registry
from tasks.engine.fetch import Fetching
from tasks.resource import Api, Tenant
from workers.fleet import own_settings
from workers.fleet.attempt import HandedOver, Stopping, lease_of, result_of
from workers.fleet.process import Process
from workers.fleet.publisher import Publisher


def work(process: Process, ledger: Ledger, attempt: Attempt, publisher: Publisher, stopping: Stopping) -> None:
    """Raises Fenced where the attempt lost its scope."""
    scope, run = attempt.scope, ledger.run
    tenant = Tenant(**ledger.tenant(scope.tenant_key))
    fetching = Fetching(
        type=registry.type_named(scope.type),
        attempt=attempt,
        connect=lambda: connect(process, tenant, scope.region),
        ledger=ledger,
        publish=lambda events: publisher.publish_events(run, events),
        limits=process.settings.fetch_limits,
    )
    _run(process, fetching, publisher, stopping)


def _run(process: Process, fetching: Fetching, publisher: Publisher, stopping: Stopping) -> None:
    attempt, run = fetching.attempt, fetching.ledger.run
    running = process.loop.submit(fetching.run(), owner=attempt.scope.id)
    with lease_of(process, run, attempt, on_lost=running.cancel):
        try:
            result_of(process, run, attempt, running, stopping=stopping, stalled=fetching.stalled)
        except HandedOver as over:
            publisher.publish_events(run, over.events)


async def connect(process: Process, tenant: Tenant, region: str) -> Api:
    """The API of a tenant, with nothing but what this worker's own settings name. Raises CallFailed."""
    own_settings.check_tenant(process.settings, tenant)
    return await process.provider(tenant.provider).connect(tenant, region, process.rate_limiter)
