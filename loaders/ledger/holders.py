"""Which worker holds which scopes of a run, and how long it has been silent."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Self

import redis


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A process that has attempts under way, and its scopes.

    worker           the name of its worker, e.g. fetch-1@host
    pid              of the process of that worker
    silent_seconds   since it last renewed a lease: a worker that is alive renews every third of a lease
    takeover_seconds until the first of its leases expires and the sweeper takes the scope over; 0 where that is due
    """

    worker: str
    pid: int
    scopes: tuple[str, ...]
    silent_seconds: float
    takeover_seconds: float


@dataclass(frozen=True, slots=True)
class _Lease:
    scope: str
    process: str
    remaining_ms: float
    duration_ms: float

    @property
    def silent_ms(self) -> float:
        return max(0.0, self.duration_ms - self.remaining_ms)

    @classmethod
    def read(cls, scope: str, end_ms: float, now_ms: float, fields: list[bytes | None]) -> Self | None:
        """None where the attempt ended, or began, between the two reads."""
        process, duration_ms = fields
        if process is None or duration_ms is None:
            return None
        return cls(scope, process.decode(), end_ms - now_ms, float(duration_ms))


def holders(client: redis.Redis, run: str) -> list[Holder]:
    """Of all attempts under way, the longest silent first."""
    leases: dict[str, list[_Lease]] = defaultdict(list)
    for lease in _leases(client, f"chartfleet:ledger:{run}"):
        leases[lease.process].append(lease)
    found = [_holder(process, held) for process, held in leases.items()]
    return sorted(found, key=lambda holder: (-holder.silent_seconds, holder.worker, holder.pid))


def _holder(process: str, leases: list[_Lease]) -> Holder:
    worker, _, pid = process.rpartition(":")
    return Holder(
        worker=worker,
        pid=int(pid) if pid.isdigit() else 0,
        scopes=tuple(sorted(lease.scope for lease in leases)),
        silent_seconds=min(lease.silent_ms for lease in leases) / 1000,
        takeover_seconds=max(0.0, min(lease.remaining_ms for lease in leases)) / 1000,
    )


def _leases(client: redis.Redis, key: str) -> list[_Lease]:
    seconds, microseconds = client.time()
    now_ms = int(seconds) * 1000 + int(microseconds) // 1000
    ends: list[tuple[bytes, float]] = client.zrange(f"{key}:leases", 0, -1, withscores=True)  # type: ignore[assignment]
    pipeline = client.pipeline(transaction=False)
    for scope, _ in ends:
        pipeline.hmget(f"{key}:unit:{scope.decode()}", "worker", "lease_ms")
    read = (
        _Lease.read(scope.decode(), end_ms, now_ms, fields)
        for (scope, end_ms), fields in zip(ends, pipeline.execute(), strict=True)
    )
    return [lease for lease in read if lease is not None]
