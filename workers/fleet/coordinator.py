"""Starts a run, or resumes one: by command, or by beat."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Final

import redis
from neo4j.exceptions import DriverError, Neo4jError

from analysis.iam.permission_rules import RuleFileError
from loaders import indexes
from loaders.adoption import needs_adoption
from loaders.brake import CONFIRMED
from loaders.coverage import held_scopes
from loaders.graph import Graph
from loaders.ledger import UNDER_WAY, Ledger, RunState, runs
from loaders.scope import Scope, tenants_type
from loaders.writer import RunRefused, claim, claimed_by, held_by, release_claim
from tasks.engine import registry
from workers.fleet import permissions
from workers.fleet.alive import is_alive, unfinished
from workers.fleet.memory_need import check_memory
from workers.fleet.process import Process
from workers.fleet.publisher import Publisher
from workers.fleet.readiness import NotReady
from workers.settings import configured
from workers.settings.fleet_key import fleet_key
from workers.settings.settings import Settings

log = logging.getLogger(__name__)

LEDGERS_KEPT: Final = 2  # whole: some hundred bytes per scope, and only the newest run can be resumed


def start(
    settings: Settings,
    graph: Graph,
    client: redis.Redis,
    publisher: Publisher,
    off: Mapping[str, str],
    notify: Callable[[str], object] = log.warning,
    *,
    confirm_deletions: bool = False,
) -> Ledger:
    """Claim the graph, open the ledger, publish the first planning units. If that is interrupted, nothing is left.

    `off`: modules that aren't configured, and what enables each: they are skipped, and the report says so.
    `notify` is told what the user should know meanwhile; `confirm_deletions`: no scope is held back.
    Raises RunRefused, NotReady, DuplicateNodes, RuleFileError, SettingError.
    """
    if problem := configured.problem(settings.modules, off, selected=settings.selects):
        raise RunRefused(problem)
    key = fleet_key()
    rules = [rule.as_json() for rule in permissions.rules(settings.permission_relationships_file)]
    indexes.ensure_lock(graph)
    held = claimed_by(graph)
    if (held is None or not held.tag) and (label := needs_adoption(graph, registry.schema())):
        raise RunRefused(
            f"another tool filled this graph ({label} nodes without an owner): take it over once with "
            "`chartfleet adopt`; `chartfleet adopt --dry-run` shows what that would do"
        )
    tag = settings.update_tag or max(int(time.time()), held.tag + 1 if held else 0)
    run = f"{tag}-{secrets.token_hex(2)}"
    ledger = Ledger(client, run, key)
    graph_id = graph.database_id()
    if warning := check_memory(client, graph_id, settings):
        notify(warning)
    try:
        _claim(settings, graph, graph_id, ledger, tag, notify)
        modules = [name for name in settings.modules if name not in off]
        types = [type_ for name in modules for type_ in registry.requested(name, settings.requested_syncs(name))]
        indexes.ensure(graph, registry.schema(), [type_.name for type_ in types])
        planners = [Scope(type=tenants_type(name), tenant=name) for name in modules]
        config = settings.run_config() | {"graph": graph_id, permissions.CONFIG: rules, "off": dict(off)}
        config |= {CONFIRMED: confirm_deletions}
        _end_abandoned(client, graph_id, run)
        ledger.set_held(held_scopes(graph))
        ledger.open(tag=tag, config=config, window=settings.admission_window, planners=planners)
        forget_old_runs(client, settings.runs_kept)
        publisher.publish_scopes(run, planners)
    except RunRefused:
        raise
    except BaseException as error:
        _give_back(ledger, graph, f"not started: {type(error).__name__}")
        with suppress(redis.RedisError):
            ledger.forget()
        raise
    return ledger


def _claim(
    settings: Settings,
    graph: Graph,
    graph_id: str,
    ledger: Ledger,
    tag: int,
    notify: Callable[[str], object],
    *,
    resume: bool = False,
) -> None:
    """Claim the graph. Raises RunRefused, also if the run that held it has lost its claim but goes on by its ledger."""
    lease = settings.run_lease_seconds
    for info in unfinished(ledger.client, graph_id):
        if info.id != ledger.run and is_alive(ledger.client, info, lease_seconds=lease):
            raise held_by(info.id)

    def on_wait(holder: str) -> None:
        notify(f"Run {holder} holds the graph: waiting up to {lease:g} s for its heartbeat")

    claim(graph, run=ledger.run, tag=tag, resume=resume, lease_seconds=lease, on_wait=on_wait)


def _give_back(ledger: Ledger, graph: Graph, reason: str) -> None:
    """A run that could not be started, or resumed, doesn't hold the graph."""
    with suppress(redis.RedisError):
        ledger.cancel(reason)
    with suppress(DriverError, Neo4jError):
        release_claim(graph, ledger.run)


def resume(
    settings: Settings,
    graph: Graph,
    client: redis.Redis,
    run: str,
    publisher: Publisher,
    notify: Callable[[str], object] = log.warning,
    *,
    confirm_deletions: bool = False,
) -> Ledger:
    """Plan again what isn't cleaned in an earlier run. Raises RunRefused, NotSigned, SettingError."""
    ledger = Ledger(client, run, fleet_key())
    info = ledger.info()
    if info is None:
        raise RunRefused(f"--resume {run}: there is no such run on this broker; `chartfleet runs` lists the runs")
    if confirm_deletions and info.state in UNDER_WAY:
        raise RunRefused(f"--confirm-deletions: run {run} is under way; confirm once it has ended, or in the next run")
    _claim(settings, graph, graph.database_id(), ledger, info.tag, notify, resume=True)
    if info.state in UNDER_WAY:
        return ledger  # its fleet crashed: the sweepers of this one continue where it stopped
    try:
        forget_steps(graph, run)
        ledger.set_held(held_scopes(graph))
        publisher.publish_scopes(run, ledger.resume(info.config | {CONFIRMED: confirm_deletions}))
    except BaseException as error:
        _give_back(ledger, graph, f"not resumed: {type(error).__name__}")
        raise
    return ledger


def forget_steps(graph: Graph, run: str) -> None:
    """A resumed run is analysed again: none of its jobs counts as done."""
    query = "MATCH (r:SyncRun {id: $run}) REMOVE r.jobs_done"
    graph.write(lambda tx: tx.run(query, run=run).consume())


def start_scheduled(process: Process, publisher: Publisher) -> str:
    """What beat starts: a run with this worker's settings; none while another run holds the graph. Returns its id."""
    address = process.settings.graph_address
    if address is None:
        raise RunRefused("a scheduled run needs the graph: set CHARTFLEET_NEO4J_URI on the coordinator")
    graph = Graph.at(address)
    settings = process.settings
    try:
        off = configured.check(settings.modules, settings.run_config()["options"]).off
        return start(settings, graph, process.redis, publisher, off).run
    except (RunRefused, NotReady, RuleFileError) as error:
        log.warning("no run started: %s", error)
        return ""
    finally:
        graph.close()


def forget_old_runs(client: redis.Redis, keep: int) -> None:
    """Only the head of a run is kept once it can't be resumed any more, and nothing after `keep` runs.

    If the run before this one didn't get to its end, the last that did is kept as well: it knows how long scopes take.
    """
    known = runs(client)
    whole = known[:LEDGERS_KEPT]
    if not any(_is_complete(client, run) for run in whole):
        whole += [run for run in known[LEDGERS_KEPT:] if _is_complete(client, run)][:1]
    for run in known[LEDGERS_KEPT:keep]:
        if run not in whole:
            Ledger(client, run).forget_units()
    for run in known[keep:]:
        Ledger(client, run).forget()


def _is_complete(client: redis.Redis, run: str) -> bool:
    return Ledger(client, run).state() is RunState.COMPLETE


def _end_abandoned(client: redis.Redis, graph_id: str, successor: str) -> None:
    """End the runs that are dead by ledger and graph: the claim has passed on, so their messages must do nothing."""
    for info in unfinished(client, graph_id):
        Ledger(client, info.id).cancel(f"abandoned: run {successor} has taken the graph")
