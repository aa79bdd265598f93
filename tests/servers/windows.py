"""So many calls in a window of time, as APIs count them; whoever comes after that is sent away until the next one."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field


@dataclass
class Window:
    """`limit` calls in `seconds`, counted from the first one."""

    limit: int
    seconds: float
    _used: int = 0
    _ends: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self) -> Taken:
        with self._lock:
            now = time.time()
            if now >= self._ends:
                self._used, self._ends = 0, now + self.seconds
            self._used += 1
            return Taken(self._used <= self.limit, max(0, self.limit - self._used), self._ends)


@dataclass(frozen=True)
class Taken:
    """Whether a call was let in, how many more will be, and when the next window begins, in seconds since 1970."""

    let_in: bool
    remaining: int
    reset: float
