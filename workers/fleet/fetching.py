"""The task of a scope: begin an attempt, fetch, tell the ledger. It never raises and returns a constant, so that a
redelivered chord header has the same result.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from loaders.ledger import Event, Fenced
from loaders.scope import Scope
from tasks.engine import registry
from tasks.engine.fetch import Fetching
from tasks.resource import Tenant
from workers.fleet.process import Process

log = logging.getLogger(__name__)

Publish = Callable[[str, Iterable[Event]], None]


def fetch(
    process: Process,
    run: str,
    scope: Scope,
    publish: Publish,
    publish_units: Callable[[str, Iterable[Scope]], None],
    stopping: Callable[[], bool],
) -> None:
    """One attempt at a scope, unless another holds it or it is settled."""
    ledger = process.ledger(run)
    limits = process.settings.fetch_limits
    try:
        attempt = ledger.begin(scope, lease_seconds=limits.lease_seconds, worker=process.name)
        if attempt is None:
            return
        provider = registry.providers()[scope.provider]
        tenant = Tenant(**ledger.tenant(f"{scope.provider}/{scope.tenant}"))
        process.run_async(
            Fetching(
                type=registry.types()[scope.type],
                attempt=attempt,
                connect=lambda: provider.connect(tenant, scope.region, process.rate_limiter),
                ledger=ledger,
                schema=registry.schema(),
                publish=lambda events: publish(run, events),
                limits=limits,
                stopping=stopping,
            ).run()
        )
        publish_units(run, ledger.parts(scope))
    except Fenced:
        log.info("%s: another attempt holds it, or the run ended", scope.shown)
    except Exception:
        log.exception(
            "%s: the attempt ended without a result; its lease runs out and the sweeper takes over", scope.shown
        )
