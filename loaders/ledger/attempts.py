"""A fetcher's transitions: an attempt at a scope begins, keeps its lease, pushes batches, and ends."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping

from loaders.ledger.scripts import Scripts, fence, milliseconds
from loaders.ledger.state import Attempt, Event, State
from loaders.scope import Scope


class Attempts(Scripts):
    def begin(self, scope: Scope, *, lease_seconds: float, worker: str) -> Attempt | None:
        """A new attempt at a planned scope, or None if there is nothing to do: it is leased, settled, or not due."""
        token = secrets.token_hex(8)
        reply: list[bytes] = self._call("begin", scope.id, token, milliseconds(lease_seconds), worker)
        number = reply[0].decode()
        return Attempt(scope=scope, number=int(number), token=token) if number.isdigit() else None

    def renew(self, attempt: Attempt, *, lease_seconds: float) -> bool:
        """Extend the lease. False if the attempt has lost its scope."""
        return bool(self._call("renew", *fence(attempt), milliseconds(lease_seconds)))

    def push(self, attempt: Attempt, *, number: int, model: str, rows: int, payload: bytes) -> list[Event]:
        """Hand a batch to the writer. Raises Fenced."""
        return self._transition("push", *fence(attempt), number, model, rows, payload)

    def fetched(
        self, attempt: Attempt, *, batches: int, outcome: Mapping[str, object], parts: Iterable[Scope] = ()
    ) -> list[Event]:
        """The attempt saw everything. `parts`: those that its listing planned. Raises Fenced."""
        planned = json.dumps([part.id for part in parts])
        return self._transition("fetched", *fence(attempt), batches, _compact(outcome), planned)

    def denied(self, attempt: Attempt, reason: str, outcome: Mapping[str, object]) -> list[Event]:
        return self._ended(attempt, State.DENIED, reason, outcome)

    def failed(self, attempt: Attempt, reason: str, outcome: Mapping[str, object]) -> list[Event]:
        return self._ended(attempt, State.FAILED, reason, outcome)

    def skipped(self, attempt: Attempt, reason: str, outcome: Mapping[str, object]) -> list[Event]:
        return self._ended(attempt, State.SKIPPED, reason, outcome)

    def _ended(self, attempt: Attempt, state: State, reason: str, outcome: Mapping[str, object]) -> list[Event]:
        return self._transition("ended", *fence(attempt), state, reason, _compact(outcome))

    def later(self, attempt: Attempt, *, wait_seconds: float, reason: str) -> None:
        """Give the scope back (throttled, shut down). The sweeper publishes it when it is due; no crash is counted."""
        self._transition("later", *fence(attempt), milliseconds(wait_seconds), reason)

    def parts(self, scope: Scope) -> list[Scope]:
        """The parts that the scope's listing planned."""
        return [Scope.parse(part) for part in self._members(f"{self._key}:unit:{scope.id}:parts")]

    def backlog(self) -> tuple[int, int]:
        """How many batches wait for the writer, and their size in bytes."""
        batches, size = self._fields(self._key, "waiting", "waiting_bytes")
        return int(batches or 0), int(size or 0)


def _compact(outcome: Mapping[str, object]) -> str:
    """Each scope keeps its own: most of them have nothing to say."""
    return json.dumps({name: value for name, value in outcome.items() if value}, separators=(",", ":"))
