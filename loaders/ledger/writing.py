"""The writer's transitions: it takes batches, reports them committed, rejects rows, and cleans complete scopes."""

from __future__ import annotations

from collections.abc import Iterable

from loaders.ledger.scripts import Scripts
from loaders.ledger.state import Event, Taken
from loaders.reason import REJECTED, Reason
from loaders.scope import Scope

GAP = "gap:"  # prefix of a unit's fields that say what was not seen, and of how many items


class Writing(Scripts):
    def take(self, *, max_batches: int, max_bytes: int) -> Taken | None:
        """Batches of one model that wait for the writer. They stay in the ledger until they are committed."""
        reply: list[bytes] = self._call("take", max_batches, max_bytes)
        if not reply:
            return None
        pairs = zip(reply[1::2], reply[2::2], strict=True)
        return Taken(reply[0].decode(), tuple((batch.decode(), payload) for batch, payload in pairs))

    def committed(self, batches: Iterable[str]) -> list[Event]:
        return self._transition("committed", *batches)

    def bad_rows(self, scope: Scope, reason: str) -> None:
        """The graph refused rows. Called before the batch is committed, so that the scope deletes nothing."""
        self._call("bad_rows", scope.whole.id, reason)

    def rejected(self, scope: Scope, reason: str) -> None:
        """The graph refused a row, whose node stays as it was: a gap of its scope."""
        self._call("rejected", scope.whole.id, GAP + Reason(failure=REJECTED, detail=reason).to_json())

    def cleanups(self) -> list[Scope]:
        """Complete scopes whose batches are all committed and which are to be cleaned."""
        return [Scope.parse(unit) for unit in self._members(f"{self._key}:cleanups")]

    def cleaned(self, scopes: Iterable[Scope]) -> list[Event]:
        return self._transition("cleaned", *(s.id for s in scopes))

    def mark(self, tag: int) -> str:
        """Marks in the graph what this round of the run could not read. A resumed run is a new round."""
        [raw] = self._fields(self._key, "round")
        return f"{tag}.{int(raw or 0)}"

    def set_blocked_by(self, reason: str) -> None:
        """What the writer waits for, as text. Cleared by its next commit."""
        self._call("blocked_by", reason)
