"""A token bucket, by which simulated APIs throttle."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class TokenBucket:
    """Each call takes a token. `filled`: seconds, when it had so many."""

    tokens: float
    filled: float

    def take(self, now: float, *, per_second: float, size: float) -> bool:
        """Whether there was a token, after what was added since."""
        self.tokens = min(size, self.tokens + (now - self.filled) * per_second)
        self.filled = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True
