"""Workers that hold scopes of a run and send no heartbeat."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, TypedDict

from loaders.ledger.holders import Holder

# A worker renews its leases after a third of their duration; a delay of so few seconds is normal.
_GRACE_SECONDS: Final = 2


class SilentWorker(TypedDict):
    """Its scopes are taken over when their leases expire."""

    worker: str
    scopes: int
    silent_seconds: float
    taken_over_in_seconds: float


def silent_workers(holders: Iterable[Holder]) -> list[SilentWorker]:
    """The workers of which a process missed its heartbeat, with the scopes of these processes."""
    by_worker = defaultdict[str, list[Holder]](list)
    for holder in holders:
        lease_seconds = holder.silent_seconds + holder.takeover_seconds
        if holder.silent_seconds > lease_seconds / 3 + min(_GRACE_SECONDS, lease_seconds / 6):
            by_worker[holder.worker].append(holder)
    return [
        {
            "worker": worker,
            "scopes": sum(len(process.scopes) for process in processes),
            "silent_seconds": round(max(process.silent_seconds for process in processes), 1),
            "taken_over_in_seconds": round(max(process.takeover_seconds for process in processes), 1),
        }
        for worker, processes in by_worker.items()
    ]


def fetching_text(fetching: int, silent: Sequence[SilentWorker]) -> str:
    """`3 fetching (2 by fetch-b@vm, silent for 40 s; taken over in 20 s)`"""
    silences = [
        f"{worker['scopes']} by {worker['worker']}, silent for {worker['silent_seconds']:.0f} s; "
        f"taken over in {worker['taken_over_in_seconds']:.0f} s"
        for worker in silent
    ]
    return f"{fetching:,} fetching" + (f" ({', '.join(silences)})" if silences else "")
