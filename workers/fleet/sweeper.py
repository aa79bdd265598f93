"""Finds what was lost: attempts whose process crashed, messages that never arrived, wake-ups and callbacks never sent.

It runs on a timer in every worker, under a lease, without beat. Nothing waits for it unless something was lost.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Final

import redis

from loaders.graph import GraphAddress
from loaders.ledger import UNDER_WAY, Ledger, runs
from tasks.engine import catalog
from workers.fleet.process import Process
from workers.fleet.publisher import Publisher
from workers.fleet.queues import COORDINATOR, fetch_queue, length

if TYPE_CHECKING:
    from loaders.graph import GraphAddress
    from workers.fleet.claims import Claims

log = logging.getLogger(__name__)

_LEASE_KEY: Final = "chartfleet:sweeper"
_CLAIMS_KEY: Final = "chartfleet:claims"  # a lease of its own: the sweeper's may be held by a worker without the graph
# Taken even if Redis's memory is full: the runs' heartbeats depend on it. After a deletion, Redis lets a script finish.
_TAKE: Final = """
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
_unsigned: Final = set[str]()  # runs that were reported
MAX_RUNS: Final = 20  # the newest; older ones that aren't over were abandoned long ago


def start(process: Process, publisher: Publisher) -> None:
    """Sweep on a timer, in a thread of the worker's main process, for as long as that lives."""
    claims = _claims_on(process.settings.graph_address)

    def loop() -> None:
        while True:
            time.sleep(process.settings.sweep_seconds)
            try:
                sweep_once(process, publisher)
                if claims and _is_my_turn(process, _CLAIMS_KEY):
                    claims.keep(under_way(process.redis))
            except redis.OutOfMemoryError:
                log.warning("sweeper: Redis's memory is full")
            except redis.RedisError as error:
                log.warning("sweeper: Redis isn't responding (%s)", type(error).__name__)
            except Exception:
                log.exception("sweeper: continues with the next round")

    threading.Thread(target=loop, name="sweeper", daemon=True).start()


def sweep_once(process: Process, publisher: Publisher) -> None:
    """One round over the runs under way, unless another worker is making it."""
    if not _is_my_turn(process, _LEASE_KEY):
        return
    client, settings = process.redis, process.settings
    for run in under_way(client):
        ledger = process.ledger(run)
        if not ledger.is_signed():
            if run not in _unsigned:  # once: a round follows every few seconds
                _unsigned.add(run)
                log.error("run %s isn't signed with this fleet's key: it is left alone", run)
            continue
        overdue, ended = ledger.end_overdue(max_run_seconds=settings.max_run_seconds)
        if ended:
            log.warning("run %s: what isn't read yet fails: %s", run, ended)
        events, scopes = ledger.sweep(
            lease_seconds=settings.lease_seconds,
            max_crashes=settings.max_crashes,
            redelivery_grace_seconds=settings.redelivery_grace_seconds,
            broker=str(client.info("server")["run_id"]),
            queued=_queued(client),
        )
        if scopes:
            log.warning("run %s: published again: %s", run, ", ".join(scope.shown for scope in scopes[:10]))
        publisher.publish_scopes(run, scopes)
        publisher.publish_events(run, dict.fromkeys([*overdue, *events]))


def _is_my_turn(process: Process, lease: str) -> bool:
    """True for one worker per round."""
    milliseconds = int(process.settings.sweep_seconds * 900)
    return bool(process.redis.eval(_TAKE, 1, lease, process.name, milliseconds))


def under_way(client: redis.Redis) -> list[str]:
    """The runs that aren't over."""
    newest = runs(client)[:MAX_RUNS]
    return [run for run in newest if Ledger(client, run).state() in UNDER_WAY]


def _queued(client: redis.Redis) -> dict[str, int]:
    """How many messages wait for each provider; any message of the coordinator may be for it."""
    planning = length(client, COORDINATOR)
    return {name: planning + length(client, fetch_queue(name)) for name in catalog.declared()}


def _claims_on(address: GraphAddress | None) -> Claims | None:
    if address is None:
        return None
    from workers.fleet.claims import Claims  # with the graph's driver

    return Claims(address)
