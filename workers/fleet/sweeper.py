"""Finds what was lost: attempts whose process died, messages that never arrived, wake-ups and callbacks never sent.

It runs on a timer in every worker, under a lease, without beat; nothing waits for it unless something was lost.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable

import redis
from neo4j.exceptions import DriverError, Neo4jError

from loaders.graph import Graph, GraphAddress
from loaders.ledger import Event, Ledger, RunState, runs
from loaders.scope import Scope
from loaders.writer import keep_claim
from tasks.engine import registry
from workers.fleet.process import Process

log = logging.getLogger(__name__)

_LEASE_KEY = "chartfleet:sweeper"
_CLAIMS_KEY = "chartfleet:claims"  # a lease of its own: a worker that doesn't know the graph may hold the sweeper's
RUNS_LOOKED_AT = 20  # the newest; older ones that still run were left behind long ago


def start(
    process: Process,
    publish_units: Callable[[str, Iterable[Scope]], None],
    publish: Callable[[str, Iterable[Event]], None],
) -> None:
    """Sweep on a timer, in a thread of the worker's main process, for as long as that lives."""
    address = process.settings.graph_address
    claims = _Claims(address) if address else None

    def loop() -> None:
        while True:
            time.sleep(process.settings.sweep_seconds)
            try:
                sweep_once(process, publish_units, publish)
                if claims and _is_my_turn(process, _CLAIMS_KEY):
                    claims.keep(under_way(process.redis))
            except redis.RedisError as error:
                log.warning("sweeper: Redis isn't responding (%s)", type(error).__name__)
            except Exception:
                log.exception("sweeper: goes on with the next round")

    threading.Thread(target=loop, name="sweeper", daemon=True).start()


def sweep_once(
    process: Process,
    publish_units: Callable[[str, Iterable[Scope]], None],
    publish: Callable[[str, Iterable[Event]], None],
) -> None:
    """One round over the runs that are under way, if no other worker's round is."""
    if not _is_my_turn(process, _LEASE_KEY):
        return
    client, settings = process.redis, process.settings
    for run in under_way(client):
        ledger = Ledger(client, run)
        events, units = ledger.sweep(
            lease_seconds=settings.lease_seconds,
            max_crashes=settings.max_crashes,
            redelivery_grace_seconds=settings.redelivery_grace_seconds,
            broker=str(client.info("server")["run_id"]),
            queued=_queued(client),
        )
        if units:
            log.warning("run %s: published again: %s", run, ", ".join(unit.shown for unit in units[:10]))
        publish_units(run, units)
        publish(run, events)


def _is_my_turn(process: Process, lease: str) -> bool:
    """Once per round, of all workers one."""
    milliseconds = int(process.settings.sweep_seconds * 900)
    return bool(process.redis.set(lease, process.name, nx=True, px=milliseconds))


def under_way(client: redis.Redis) -> list[str]:
    """The runs that aren't over."""
    newest = runs(client)[:RUNS_LOOKED_AT]
    return [run for run in newest if Ledger(client, run).state() in (RunState.RUNNING, RunState.ANALYSING)]


def _queued(client: redis.Redis) -> dict[str, int]:
    """How many messages wait for each provider: its scopes', and in the coordinator's queue perhaps its plans'."""
    plans = int(client.llen("coordinator"))
    return {name: plans + int(client.llen(f"fetch.{name}")) for name in registry.providers()}


class _Claims:
    """Signs of life of the runs, from a thread of their own: a graph that is away or stands still holds up no sweep."""

    def __init__(self, address: GraphAddress) -> None:
        self._runs: queue.Queue[list[str]] = queue.Queue(maxsize=1)  # what comes while one is written is left out
        threading.Thread(target=self._loop, args=(address,), name="claims", daemon=True).start()

    def keep(self, runs: list[str]) -> None:
        with contextlib.suppress(queue.Full):
            self._runs.put_nowait(runs)

    def _loop(self, address: GraphAddress) -> None:
        graph = Graph.at(address)
        while True:
            found = self._runs.get()
            try:
                for run in found:
                    keep_claim(graph, run)
            except (DriverError, Neo4jError) as error:
                log.warning("the graph isn't responding (%s)", type(error).__name__)
            except Exception:
                log.exception("runs %s: no sign of life was given", found)
