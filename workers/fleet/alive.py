"""Which runs are alive by their ledger: their graph may have been away for longer than their claim on it lasts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

import redis

from loaders.heartbeat import Observer
from loaders.ledger import UNDER_WAY, Ledger, RunInfo, runs

_POLL_SECONDS: Final = 0.5


def unfinished(client: redis.Redis, graph_id: str) -> Iterator[RunInfo]:
    """The runs on this graph that aren't over, by the ledger; not those of another version, which hold its claim."""
    for run in runs(client):
        ledger = Ledger(client, run)
        info = ledger.info() if ledger.state() in UNDER_WAY else None
        if info and info.config.get("graph") == graph_id:
            yield info


def is_alive(client: redis.Redis, info: RunInfo, *, lease_seconds: float) -> bool:
    """Whether a sweeper has looked after the run within the lease.

    By the clock of Redis, which wrote the heartbeat. If that clock was set back in between, the heartbeat lies in the
    future: then only the next one tells.
    """
    ledger = Ledger(client, info.id)
    age_seconds = (ledger.now_ms() - (info.swept_ms or info.created_ms)) / 1000
    if age_seconds >= 0:
        return age_seconds < lease_seconds
    observer = Observer()
    while observer.unchanged_seconds(info.swept_ms) < lease_seconds:
        time.sleep(_POLL_SECONDS)
        now = ledger.info()
        if now is None or now.state not in UNDER_WAY:
            return False
        if now.swept_ms != info.swept_ms:
            return True
    return False
