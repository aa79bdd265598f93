"""Plans a run: providers -> tenants -> scopes.

Each step is a unit of the ledger, with a lease and attempts of its own: a coordinator that crashes is replaced like any
worker.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, TypeVar

import redis

from loaders.ledger import Attempt, Event, Fenced, Ledger
from loaders.reason import Reason
from loaders.scope import Scope, regions_type, tenants_type
from tasks.engine import registry
from tasks.engine.ending import Ending, record_wait
from tasks.failures import CallFailed, Failure, NotConfigured, RetryLater
from tasks.resource import Listed, Per, ResourceType, Tenant
from workers.fleet import fetching, own_settings
from workers.fleet.attempt import HandedOver, Stopping, Work, lease_of, result_of
from workers.fleet.process import Process
from workers.fleet.publisher import Publisher

log = logging.getLogger(__name__)
T = TypeVar("T")

Config = Mapping[str, Any]  # of the run
List = Callable[[Config], Coroutine[Any, Any, T]]
Plan = Callable[[T], list[Event]]


def work_of(scope: Scope) -> Work:
    """What an attempt at it does."""
    if not scope.plans:
        return fetching.work
    return list_tenants if scope.type == tenants_type(scope.provider) else list_regions


def list_tenants(process: Process, ledger: Ledger, attempt: Attempt, publisher: Publisher, stopping: Stopping) -> None:
    """List a provider's tenants and queue them for admission."""
    provider_name = attempt.scope.provider

    async def tenants(config: Config) -> Listed[Tenant]:
        provider = process.provider(provider_name)
        own_settings.check_options(process.settings, provider_name, config["options"])
        return await provider.tenants(provider.read_options(config["options"]), process.rate_limiter)

    def plan(listed: Listed[Tenant]) -> list[Event]:
        ledger.set_tenants({f"{tenant.provider}/{tenant.id}": _wire_form(tenant) for tenant in listed.found})
        units = [Scope(type=regions_type(provider_name), tenant=tenant.id) for tenant in listed.found]
        return ledger.plan(
            attempt,
            zip(units, [False] * len(units), ledger.expected_seconds(units), strict=True),
            queue=True,
            denied=Reason(detail=listed.incomplete_reason).to_json() if listed.incomplete_reason else "",
            whole=listed.complete,
            owner=listed.owner,
            notes=listed.notes,
            principals={tenant.id: tenant.principal for tenant in listed.found if tenant.principal},
        )

    _plan(process, ledger, attempt, tenants, plan, publisher, stopping)


@dataclass(frozen=True, slots=True)
class _TenantScopes:
    """All scopes of a tenant. `denied`: why its regions are not known."""

    scopes: list[Scope]
    complete: bool
    denied: str


def list_regions(process: Process, ledger: Ledger, attempt: Attempt, publisher: Publisher, stopping: Stopping) -> None:
    """Plan every scope of a tenant, the slowest first, and publish them as one chord."""
    unit = attempt.scope

    async def tenant_scopes(config: Config) -> _TenantScopes:
        provider = process.provider(unit.provider)
        access = await asyncio.to_thread(ledger.tenant, unit.tenant_key)
        tenant = Tenant(**access)
        types = _requested_types(tenant, config)
        api = await fetching.connect(process, tenant, unit.region)
        regions: Listed[str] = Listed()
        denied = ""
        if any(type_.per is Per.REGION for type_ in types):
            try:
                regions = await provider.regions(api, provider.read_options(config["options"]))
            except CallFailed as error:
                if error.failure is not Failure.DENIED:
                    raise
                denied = replace(Ending.of(error).reason, detail="its regions are not known").to_json()
        scopes = [
            Scope(type=type_.name, tenant=unit.tenant, region=region)
            for type_ in types
            for region in (regions.found if type_.per is Per.REGION else [unit.region])
        ]
        return _TenantScopes(scopes, regions.complete, denied)

    def plan(tenant: _TenantScopes) -> list[Event]:
        scopes = tenant.scopes
        timed = zip(scopes, ledger.held(scopes), ledger.expected_seconds(scopes), strict=True)
        children = sorted(timed, key=lambda child: -child[2])
        events = ledger.plan(attempt, children, queue=False, denied=tenant.denied, whole=tenant.complete)
        publisher.publish_tenant(ledger.run, [scope for scope, _, _ in children])
        return events

    _plan(process, ledger, attempt, tenant_scopes, plan, publisher, stopping)


def _requested_types(tenant: Tenant, config: Config) -> list[ResourceType]:
    requested = config["options"].get(f"{tenant.provider}_requested_syncs") or ()
    return [type_ for type_ in registry.requested(tenant.provider, requested) if type_.tenant_kind == tenant.kind]


def _plan(
    process: Process,
    ledger: Ledger,
    attempt: Attempt,
    list_: List[T],
    plan: Plan[T],
    publisher: Publisher,
    stopping: Stopping,
) -> None:
    """List, then plan: an attempt with the outcomes of any other scope. Raises Fenced."""
    try:
        events = _planned(process, ledger, attempt, list_, plan, stopping)
    except RetryLater as wait:
        events = record_wait(ledger, attempt, wait, max_wait_seconds=process.settings.max_wait_seconds)
    publisher.publish_events(ledger.run, events)


def _planned(
    process: Process, ledger: Ledger, attempt: Attempt, list_: List[T], plan: Plan[T], stopping: Stopping
) -> list[Event]:
    """If the attempt's lease is lost, the listing is cancelled. Raises Fenced, RetryLater."""
    listing = process.loop.submit(list_(_config(ledger)), owner=attempt.scope.id)
    with lease_of(process, ledger.run, attempt, on_lost=listing.cancel):
        try:
            listed = result_of(process, ledger.run, attempt, listing, stopping=stopping)
            max_seconds = process.settings.fetch_limits.attempt_seconds
            return _when_there_is_memory(lambda: plan(listed), max_seconds)
        except HandedOver as over:
            return over.events
        except (Fenced, RetryLater, redis.RedisError):
            raise
        except Exception as error:
            if not isinstance(error, CallFailed | NotConfigured):
                log.exception("%s: the provider's code failed", attempt.scope.id)
            return Ending.of(error).record(ledger, attempt, {})


def _when_there_is_memory(plan: Callable[[], T], max_seconds: float) -> T:
    """A plan is large: while the memory of Redis is full, it waits. Raises RetryLater."""
    end = time.monotonic() + max_seconds
    while True:
        try:
            return plan()
        except redis.OutOfMemoryError:
            if time.monotonic() > end:
                raise RetryLater("the broker's memory is full", after_seconds=30) from None
            time.sleep(1)


def _wire_form(tenant: Tenant) -> dict[str, Any]:
    """Without the principal, which only the report needs: workers of an older version don't know the field."""
    return {name: value for name, value in asdict(tenant).items() if name != "principal"}


def _config(ledger: Ledger) -> Config:
    info = ledger.info()
    if info is None:
        raise Fenced("the run is unknown")
    return info.config
