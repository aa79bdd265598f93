"""What a run must not leave: leases, keys without an end, claims on the graph, processes."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Final

import psutil
import redis

from loaders.ledger import RunState
from tests.soak.surroundings import Surroundings

GRACE_SECONDS: Final = 20  # for what ends by itself
# Keys that stay: a broker's and Celery's own, whose number doesn't grow with the runs.
_STAYING: Final = ("chartfleet:", "_kombu.", "unacked", "coordinator", "loader", "fetch.", "celery", "ev")
_REPLIES: Final = ".reply.celery.pidbox"  # of workers that the harness asked whether they are there


def leaks(around: Surroundings, run: str, state: RunState | None) -> list[str]:
    """One line for each, once it had time to go."""
    end = time.monotonic() + GRACE_SECONDS
    while True:
        found = [*_processes(around), *_keys(around.redis, run, state), *_claim(around, run, state)]
        if not found or time.monotonic() > end:
            return found
        time.sleep(0.5)


def _processes(around: Surroundings) -> Iterator[str]:
    """Of workers that were replaced: what they started ends with them."""
    current = {worker.process.pid for worker in around.fleet.workers.workers if worker.process}
    # Where a process has the number of a worker that is gone, the number was used again: that group isn't ours.
    groups = {group for group in around.fleet.workers._groups if group not in current and not psutil.pid_exists(group)}
    for process in psutil.process_iter():
        with suppress(psutil.Error, ProcessLookupError):
            if process.status() != psutil.STATUS_ZOMBIE and os.getpgid(process.pid) in groups:
                yield f"a process of a worker that is gone: {process.pid} {' '.join(process.cmdline())[-80:]}"


def _keys(client: redis.Redis, run: str, state: RunState | None) -> Iterator[str]:
    key = f"chartfleet:ledger:{run}"
    if state is not None:
        for payload in client.scan_iter(f"{key}:payload:*", count=1000):
            yield f"a batch that nobody loads: {payload.decode()}"
    if state is RunState.COMPLETE:
        for name in ("leases", "later", "queue", "cleanups"):
            if count := _zcard(client, f"{key}:{name}"):
                yield f"{count} left in {name}"
    for name in client.scan_iter(count=1000):
        text = name.decode()
        if not text.startswith(_STAYING) and not text.endswith(_REPLIES) and client.ttl(name) == -1:
            yield f"a key without an end: {text}"


def _zcard(client: redis.Redis, key: str) -> int:
    count: Callable[[str], Any] = client.scard if client.type(key) == b"set" else client.zcard
    return int(count(key))


def _claim(around: Surroundings, run: str, state: RunState | None) -> Iterator[str]:
    """No writer stays; a claim only lapses where its run was lost."""
    query = (
        "MATCH (g:SyncGraph) RETURN g.run AS run, g.writer AS writer, (timestamp() - g.writer_seen_at) / 1000 AS age, "
    )
    query += "(timestamp() - g.run_seen_at) / 1000 AS run_age"
    for row in around.graph.rows(query):
        if row["writer"] and row["age"] < around.fleet.settings.writer_lease_seconds:
            yield f"the writer {row['writer']} still holds the graph"
        held = row["run"] == run and row["run_age"] < around.fleet.settings.run_lease_seconds
        if held and state in (RunState.COMPLETE, RunState.CANCELLED):
            yield f"the run is {state}, and still holds the graph"
