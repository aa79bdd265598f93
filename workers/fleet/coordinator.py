"""Starts a run, or resumes one: by command, or by beat."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Mapping
from typing import Final

import redis

from analysis.iam.permission_rules import RuleFileError
from loaders import indexes
from loaders.adoption import needs_adoption
from loaders.coverage import held_scopes
from loaders.graph import Graph
from loaders.ledger import Ledger, RunState, runs
from loaders.scope import Scope, tenants_type
from loaders.writer import RunRefused, claim, claimed_by, release_claim
from tasks.engine import registry
from workers.fleet import permissions
from workers.fleet.process import Process
from workers.fleet.publisher import Publisher
from workers.settings import configured
from workers.settings.fleet_key import fleet_key
from workers.settings.settings import Settings

log = logging.getLogger(__name__)

LEDGERS_KEPT: Final = 2  # whole: some hundred bytes per scope, and only the newest run can be resumed


def start(
    settings: Settings, graph: Graph, client: redis.Redis, publisher: Publisher, off: Mapping[str, str]
) -> Ledger:
    """Claim the graph, open the ledger, publish the first planning units.

    `off`: modules that aren't configured, and what enables each: they are skipped, and the report says so.
    Raises RunRefused, DuplicateNodes, RuleFileError, SettingError.
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
    claim(graph, run=run, tag=tag, resume=False, lease_seconds=settings.run_lease_seconds)
    try:
        indexes.ensure(graph, registry.schema())
        ledger = Ledger(client, run, key)
        planners = [Scope(type=tenants_type(name), tenant=name) for name in settings.modules if name not in off]
        graph_id = graph.database_id()
        config = settings.run_config() | {"graph": graph_id, permissions.CONFIG: rules, "off": dict(off)}
        _end_abandoned(client, graph_id, run)
        ledger.set_held(held_scopes(graph))
        ledger.open(tag=tag, config=config, window=settings.admission_window, planners=planners)
    except BaseException:
        release_claim(graph, run)
        raise
    forget_old_runs(client, settings.runs_kept)
    publisher.publish_scopes(run, planners)
    return ledger


def resume(settings: Settings, graph: Graph, client: redis.Redis, run: str, publisher: Publisher) -> Ledger:
    """Plan again what isn't cleaned in an earlier run. Raises RunRefused, NotSigned, SettingError."""
    ledger = Ledger(client, run, fleet_key())
    info = ledger.info()
    if info is None:
        raise RunRefused(f"--resume {run}: there is no such run on this broker; `chartfleet runs` lists the runs")
    claim(graph, run=run, tag=info.tag, resume=True, lease_seconds=settings.run_lease_seconds)
    if info.state in (RunState.RUNNING, RunState.ANALYSING):
        return ledger  # its fleet crashed: the sweepers of this one continue where it stopped
    forget_steps(graph, run)
    ledger.set_held(held_scopes(graph))
    publisher.publish_scopes(run, ledger.resume(info.config))
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
    except (RunRefused, RuleFileError) as error:
        log.warning("no run started: %s", error)
        return ""
    finally:
        graph.close()


def forget_old_runs(client: redis.Redis, keep: int) -> None:
    """Only the head of a run is kept once it can't be resumed any more, and nothing after `keep` runs."""
    known = runs(client)
    for run in known[LEDGERS_KEPT:keep]:
        Ledger(client, run).forget_units()
    for run in known[keep:]:
        Ledger(client, run).forget()


def _end_abandoned(client: redis.Redis, graph_id: str, successor: str) -> None:
    """End the runs on this graph whose fleet crashed: the claim has passed on, so their messages must do nothing."""
    for run in runs(client):
        ledger = Ledger(client, run)
        if ledger.state() not in (RunState.RUNNING, RunState.ANALYSING):
            continue
        info = ledger.info()
        if info and info.config.get("graph") == graph_id:
            ledger.cancel(f"abandoned: run {successor} has taken the graph")
