"""Starts a run and plans it: providers -> tenants -> scopes. Every step is a unit of the ledger, with a lease and
attempts of its own, so that a coordinator that dies is replaced like any worker.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, replace
from typing import Any

import redis

from analysis.iam.permission_rules import RuleFileError
from loaders import indexes
from loaders.adoption import needs_adoption
from loaders.coverage import held_scopes
from loaders.graph import Graph
from loaders.ledger import Attempt, Event, Fenced, Ledger, RunState, runs
from loaders.reason import Reason
from loaders.scope import Scope, regions_type, tenants_type
from loaders.writer import RunRefused, claim, claimed_by, release_claim
from tasks.engine import registry
from tasks.engine.ending import Ending
from tasks.failures import CallFailed, Failure, NotConfigured, RetryLater
from tasks.resource import Listed, Per, Tenant
from workers.fleet import permissions
from workers.fleet.process import Process
from workers.settings import configured
from workers.settings.settings import Settings

log = logging.getLogger(__name__)

_NO_REGIONS: Listed[str] = Listed()
LEDGERS_KEPT = 2  # whole: some hundred bytes per scope, and only the newest run can be resumed

Publish = Callable[[str, Iterable[Event]], None]
PublishUnits = Callable[[str, Iterable[Scope]], None]


def start(
    settings: Settings, graph: Graph, client: redis.Redis, publish_units: PublishUnits, off: Mapping[str, str]
) -> Ledger:
    """Claim the graph, open the ledger, publish the first planning units.

    `off`: modules that aren't configured, and what turns each on: they are left out, and the report says so.
    Raises RunRefused, DuplicateNodes, RuleFileError.
    """
    if told := configured.problem(settings.modules, off, selected=settings.selects):
        raise RunRefused(told)
    rules = [rule.as_json() for rule in permissions.rules(settings.permission_relationships_file)]
    indexes.ensure_lock(graph)
    held = claimed_by(graph)
    if (held is None or not held.tag) and (label := needs_adoption(graph, registry.schema())):
        raise RunRefused(
            f"another tool filled this graph ({label} nodes without an owner): take it over once with "
            "`chartfleet adopt`; `chartfleet adopt --dry-run` says what that does"
        )
    tag = settings.update_tag or max(int(time.time()), held.tag + 1 if held else 0)
    run = f"{tag}-{secrets.token_hex(2)}"
    claim(graph, run=run, tag=tag, resume=False, lease_seconds=settings.run_lease_seconds)
    try:
        indexes.ensure(graph, registry.schema())
        ledger = Ledger(client, run)
        planners = [Scope(type=tenants_type(name), tenant=name) for name in settings.modules if name not in off]
        config = settings.run_config() | {"graph": graph.database_id(), permissions.CONFIG: rules, "off": dict(off)}
        _end_abandoned(client, config["graph"], run)
        ledger.set_held(held_scopes(graph))
        ledger.open(tag=tag, config=config, window=settings.admission_window, planners=planners)
    except BaseException:
        release_claim(graph, run)
        raise
    forget_old_runs(client, settings.runs_kept)
    publish_units(run, planners)
    return ledger


def resume(settings: Settings, graph: Graph, client: redis.Redis, run: str, publish_units: PublishUnits) -> Ledger:
    """Plan again what isn't cleaned in an earlier run. Raises RunRefused."""
    ledger = Ledger(client, run)
    info = ledger.info()
    if info is None:
        raise RunRefused(f"--resume {run}: this broker knows no such run; `chartfleet runs` lists them")
    claim(graph, run=run, tag=info.tag, resume=True, lease_seconds=settings.run_lease_seconds)
    if info.state in (RunState.RUNNING, RunState.ANALYSING):
        return ledger  # its fleet died: this one's sweepers go on where it stopped
    forget_steps(graph, run)
    ledger.set_held(held_scopes(graph))
    publish_units(run, ledger.resume(info.config))
    return ledger


def forget_steps(graph: Graph, run: str) -> None:
    """A resumed run is analysed anew: its jobs count as not done."""
    query = "MATCH (r:SyncRun {id: $run}) REMOVE r.jobs_done"
    graph.write(lambda tx: tx.run(query, run=run).consume())


def start_scheduled(process: Process, publish_units: PublishUnits) -> str:
    """What beat starts: a run with the worker's own settings; skipped while another one holds the graph."""
    address = process.settings.graph_address
    if address is None:
        raise RunRefused("a scheduled run needs the graph: set CHARTFLEET_NEO4J_URI on the coordinator")
    graph = Graph.at(address)
    settings = process.settings
    try:
        off = configured.look(settings.modules, settings.run_config()["options"]).off
        return start(settings, graph, process.redis, publish_units, off).run
    except (RunRefused, RuleFileError) as error:
        log.warning("no run started: %s", error)
        return ""
    finally:
        graph.close()


def forget_old_runs(client: redis.Redis, keep: int) -> None:
    """Of a run that can't be resumed any more only the head is kept, and after `keep` runs nothing."""
    known = runs(client)
    for run in known[LEDGERS_KEPT:keep]:
        Ledger(client, run).forget_units()
    for run in known[keep:]:
        Ledger(client, run).forget()


def _end_abandoned(client: redis.Redis, graph_id: str, successor: str) -> None:
    """Runs on this graph whose fleet died: the claim has passed on, so their messages must come to nothing."""
    for run in runs(client):
        ledger = Ledger(client, run)
        info = ledger.info()
        if info and info.state in (RunState.RUNNING, RunState.ANALYSING) and info.config.get("graph") == graph_id:
            ledger.cancel(f"abandoned: run {successor} has taken the graph")


def plan_tenants(process: Process, run: str, unit: Scope, publish: Publish) -> None:
    """Find a provider's tenants and queue them for admission."""

    def plan(ledger: Ledger, attempt: Attempt) -> list[Event]:
        provider = registry.providers()[unit.provider]
        options = _config(ledger)["options"]
        listed = process.run_async(_all(provider.tenants(options, process.rate_limiter)))
        ledger.set_tenants({f"{t.provider}/{t.id}": _wire_form(t) for t in listed.found})
        units = [Scope(type=regions_type(unit.provider), tenant=tenant.id) for tenant in listed.found]
        children = zip(units, [False] * len(units), ledger.expected_seconds(units), strict=True)
        return ledger.plan(
            attempt,
            children,
            queue=True,
            denied=Reason(detail=listed.incomplete_reason).to_json() if listed.incomplete_reason else "",
            whole=listed.complete,
            owner=listed.owner,
            notes=listed.notes,
            principals={tenant.id: tenant.principal for tenant in listed.found if tenant.principal},
        )

    _attempt(process, run, unit, plan, publish)


def plan_regions(
    process: Process, run: str, unit: Scope, publish: Publish, publish_tenant: Callable[[str, list[Scope]], None]
) -> None:
    """Plan every scope of a tenant, the slowest first, and publish them as one chord."""

    def plan(ledger: Ledger, attempt: Attempt) -> list[Event]:
        config = _config(ledger)
        provider = registry.providers()[unit.provider]
        tenant = Tenant(**ledger.tenant(f"{unit.provider}/{unit.tenant}"))
        requested = registry.requested(unit.provider, config["options"].get(f"{unit.provider}_requested_syncs") or ())
        types = [type_ for type_ in requested if type_.tenant_kind == tenant.kind]
        denied, listed = "", _NO_REGIONS
        api = process.run_async(_all(provider.connect(tenant, unit.region, process.rate_limiter)))
        if any(type_.per is Per.REGION for type_ in types):
            try:
                listed = process.run_async(_all(provider.regions(api, config["options"])))
            except CallFailed as error:
                if error.failure is not Failure.DENIED:
                    raise
                denied = replace(Ending.of(error).reason, detail="its regions are not known").to_json()
        scopes = [
            Scope(type=type_.name, tenant=unit.tenant, region=region)
            for type_ in types
            for region in (listed.found if type_.per is Per.REGION else [unit.region])
        ]
        timed = zip(scopes, ledger.held(scopes), ledger.expected_seconds(scopes), strict=True)
        children = sorted(timed, key=lambda child: -child[2])
        events = ledger.plan(attempt, children, queue=False, denied=denied, whole=listed.complete)
        publish_tenant(run, [scope for scope, _, _ in children])
        return events

    _attempt(process, run, unit, plan, publish)


def _attempt(
    process: Process, run: str, unit: Scope, plan: Callable[[Ledger, Attempt], list[Event]], publish: Publish
) -> None:
    """One attempt at a planning unit, with the outcomes of any other scope."""
    ledger = process.ledger(run)
    lease = process.settings.lease_seconds
    try:
        attempt = ledger.begin(unit, lease_seconds=lease, worker=process.name)
        if attempt is None:
            return
        with _lease(ledger, attempt, lease):
            try:
                events = plan(ledger, attempt)
            except RetryLater as wait:
                ledger.later(attempt, wait_seconds=wait.after_seconds, reason=wait.reason)
                return
            except (Fenced, redis.RedisError):
                raise
            except Exception as error:
                if not isinstance(error, CallFailed | NotConfigured):
                    log.exception("%s: the provider's code failed", unit.id)
                events = Ending.of(error).record(ledger, attempt, {})
        publish(run, events)
    except Fenced:
        log.info("%s: another attempt holds it, or the run ended", unit.id)
    except Exception:
        log.exception("%s: the attempt ended without a result; its lease runs out and the sweeper takes over", unit.id)


@contextlib.contextmanager
def _lease(ledger: Ledger, attempt: Attempt, seconds: float) -> Iterator[None]:
    done = threading.Event()

    def renew() -> None:
        while not done.wait(seconds / 3):
            with contextlib.suppress(redis.RedisError):
                ledger.renew(attempt, lease_seconds=seconds)

    thread = threading.Thread(target=renew, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()


def _config(ledger: Ledger) -> dict[str, Any]:
    info = ledger.info()
    if info is None:
        raise Fenced("the run is unknown")
    return info.config


def _wire_form(tenant: Tenant) -> dict[str, Any]:
    """Without the principal, which only the report needs: workers of an older version know no such field."""
    return {name: value for name, value in asdict(tenant).items() if name != "principal"}


async def _all(work: Any) -> Any:
    return await work
