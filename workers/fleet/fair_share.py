"""A slow tenant leaves room for the others.

Scopes come in the order in which they were planned, tenant by tenant. One whose API takes minutes for each call would
fill every slot of a process, while those of other tenants wait behind it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

SLOW_SECONDS: Final = 15.0  # an attempt that has lasted so long counts as slow
SHARE: Final = 0.75  # of the slots that slow attempts of one tenant may hold while others wait


class FairShare:
    """The attempts of a process, by tenant."""

    def __init__(self, slots: int) -> None:
        self._max_slow = max(1, int(slots * SHARE))
        self._begun: dict[str, dict[object, float]] = {}
        self._guard = threading.Lock()

    @contextmanager
    def attempt(self, tenant: str) -> Iterator[None]:
        """For the length of an attempt."""
        mark = object()
        with self._guard:
            self._begun.setdefault(tenant, {})[mark] = time.monotonic()
        try:
            yield
        finally:
            with self._guard:
                del self._begun[tenant][mark]
                if not self._begun[tenant]:
                    del self._begun[tenant]

    def is_used_up(self, tenant: str) -> bool:
        """Whether the tenant's slow attempts hold its share."""
        before = time.monotonic() - SLOW_SECONDS
        with self._guard:
            return sum(begun < before for begun in self._begun.get(tenant, {}).values()) >= self._max_slow
