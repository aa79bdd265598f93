"""What fails again and again: a scope without ever an outcome, or a task of the fleet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from loaders.ledger.scripts import Scripts


@dataclass(frozen=True, slots=True, kw_only=True)
class Failing:
    """A scope's id or the name of a task, how often in a row it failed, and how it failed last."""

    what: str
    times: int
    error: str

    @classmethod
    def read(cls, what: str, value: str) -> Self:
        times, _, error = value.partition(" ")
        return cls(what=what, times=int(times), error=error)

    def __str__(self) -> str:
        return f"{self.what} has failed {self.times} times in a row ({self.error})"


class Failures(Scripts):
    def failed_again(self, what: str, error: BaseException) -> int:
        """How often in a row now. Only the name of the error is kept: its text may contain anything."""
        return int(self._call("failed_again", what, type(error).__name__))

    def succeeded(self, what: str) -> None:
        self._redis.hdel(f"{self._key}:failing", what)

    def failing(self) -> list[Failing]:
        """The most often failed first."""
        found = (Failing.read(what, value) for what, value in self._hash(f"{self._key}:failing").items())
        return sorted(found, key=lambda failing: (-failing.times, failing.what))
