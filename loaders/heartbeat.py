"""Judges whether a holder still sends heartbeats, without trusting any wall clock.

Each heartbeat changes a sign. An observer notes when it first saw a sign, by its own monotonic clock: a holder whose
sign hasn't changed for the length of a lease is gone. A clock that jumps, here or on the server, neither frees what is
held nor holds it longer.
"""

from __future__ import annotations

import time
from collections.abc import Hashable


class Observer:
    """Remembers the latest sign, and since when it has seen no other."""

    def __init__(self) -> None:
        self._sign: Hashable = None
        self._since = time.monotonic()

    def unchanged_seconds(self, sign: Hashable) -> float:
        """How long this has been the sign; 0 the first time."""
        now = time.monotonic()
        if sign != self._sign:
            self._sign, self._since = sign, now
        return now - self._since
