"""A fetcher's transitions: an attempt at a scope begins, keeps its lease, pushes batches, and ends."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping

from loaders.ledger.scripts import fence, milliseconds
from loaders.ledger.seals import BATCH, UNIT, Seals, batch_name
from loaders.ledger.signing import NotSigned
from loaders.ledger.state import Attempt, Event, State
from loaders.reason import Reason
from loaders.scope import Scope


class Attempts(Seals):
    def begin(self, scope: Scope, *, lease_seconds: float, worker: str) -> Attempt | None:
        """A new attempt at a planned scope, or None if there is nothing to do: it is leased, settled, or not due.

        Raises NotSigned, once the scope is recorded as failed: no process of the fleet planned it.
        """
        token = secrets.token_hex(8)
        reply: list[bytes] = self._call("begin", scope.id, token, milliseconds(lease_seconds), worker)
        number, *rest = (word.decode() for word in reply)
        if not number.isdigit():
            return None
        attempt = Attempt(scope=scope, number=int(number), token=token)
        if not self._signer.fits(rest[0], UNIT, scope.id):
            not_signed = NotSigned(f"the scope {scope.shown}")
            self.failed(attempt, Reason(failure="not signed", detail=str(not_signed)).to_json(), {})
            raise not_signed
        return attempt

    def renew(self, attempt: Attempt, *, lease_seconds: float) -> bool:
        """Extend the lease. False if the attempt has lost its scope."""
        return bool(self._call("renew", *fence(attempt), milliseconds(lease_seconds)))

    def push(self, attempt: Attempt, *, number: int, model: str, rows: int, payload: bytes) -> list[Event]:
        """Hand a batch to the writer. Raises Fenced."""
        sealed = self._signer.seal(BATCH, batch_name(attempt, number, model), payload)
        return self._transition("push", *fence(attempt), number, model, rows, sealed)

    def fetched(
        self, attempt: Attempt, *, batches: int, outcome: Mapping[str, object], parts: Iterable[Scope] = ()
    ) -> list[Event]:
        """The attempt saw everything. `parts`: those that its listing planned. Raises Fenced."""
        ids, text = sorted({part.id for part in parts}), json.dumps(outcome)
        planned = json.dumps([[part, self._signer.sign(UNIT, part)] for part in ids])
        seal = self._seal(attempt, batches, text, ids)
        return self._transition("fetched", *fence(attempt), batches, text, planned, seal)

    def denied(self, attempt: Attempt, reason: str, outcome: Mapping[str, object]) -> list[Event]:
        return self._ended(attempt, State.DENIED, reason, outcome)

    def failed(self, attempt: Attempt, reason: str, outcome: Mapping[str, object]) -> list[Event]:
        return self._ended(attempt, State.FAILED, reason, outcome)

    def skipped(self, attempt: Attempt, reason: str, outcome: Mapping[str, object]) -> list[Event]:
        return self._ended(attempt, State.SKIPPED, reason, outcome)

    def _ended(self, attempt: Attempt, state: State, reason: str, outcome: Mapping[str, object]) -> list[Event]:
        return self._transition("ended", *fence(attempt), state, reason, json.dumps(outcome))

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
