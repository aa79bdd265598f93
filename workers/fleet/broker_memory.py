"""The memory of the broker: whether it is full, and what a run needs of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import redis

_FULL: Final = 0.99  # of maxmemory: around it, Redis refuses one command and allows the next


@dataclass(frozen=True, slots=True)
class BrokerMemory:
    """In bytes. `maximum`: 0 where the broker has no limit of its own."""

    used: int
    maximum: int

    @classmethod
    def of(cls, client: redis.Redis) -> Self:
        try:
            memory: Mapping[str, Any] = client.info("memory")
        except redis.ResponseError:  # this user may not ask
            return cls(0, 0)
        return cls(int(memory["used_memory"]), int(memory.get("maxmemory", 0)))

    @property
    def is_full(self) -> bool:
        return bool(self.maximum) and self.used >= _FULL * self.maximum

    @property
    def problem(self) -> str:
        """What there is to say of a full one, and the way out; else nothing."""
        if not self.is_full:
            return ""
        return (
            f"the broker's memory is full ({shown(self.used)} of maxmemory {shown(self.maximum)}): everything waits "
            f"until it has more, e.g. `redis-cli config set maxmemory {setting(self.maximum * 2)}`"
        )


def shown(size: float) -> str:
    """`1.1 GB`"""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size:.0f} B"


def setting(size: float) -> str:
    """As Redis reads it, rounded up to 100 MB: `1300mb`"""
    return f"{-(-int(size) // 100_000_000) * 100}mb"
