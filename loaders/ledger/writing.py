"""The writer's transitions: it takes batches, reports them committed, and cleans complete scopes."""

from __future__ import annotations

from collections.abc import Iterable

from loaders.ledger.scripts import Scripts
from loaders.ledger.state import Event, State, Taken
from loaders.reason import Reason
from loaders.scope import Scope

GAP = "gap:"  # prefix of a unit's fields that say what was not seen, and of how many items


class Writing(Scripts):
    def take(self, *, max_batches: int, max_bytes: int) -> Taken | None:
        """Batches of one model that wait for the writer. They stay in the ledger until they are committed."""
        reply: list[bytes] = self._call("take", max_batches, max_bytes)
        if not reply:
            return None
        pairs = zip(reply[2::2], reply[3::2], strict=True)
        return Taken(reply[0].decode(), int(reply[1]), tuple((batch.decode(), payload) for batch, payload in pairs))

    def excuse(self, batches: Iterable[str]) -> None:
        """They were taken and not committed for a reason that has nothing to do with them."""
        self._call("excuse", *batches)

    def committed(self, batches: Iterable[str]) -> list[Event]:
        return self._transition("committed", *batches)

    def bad_rows(self, scope: Scope, reason: str) -> None:
        """The graph refused rows. Called before the batch is committed, so that the scope deletes nothing."""
        self._call("bad_rows", scope.whole.id, reason)

    def cleanups(self, *, max_scopes: int = 500) -> list[Scope]:
        """Complete scopes whose batches are all committed, and which are to be cleaned."""
        due: list[bytes] = self._call("cleanups", max_scopes)
        return [Scope.parse(scope) for scope in sorted(scope.decode() for scope in due)]

    def cleaned(self, scopes: Iterable[Scope]) -> list[Event]:
        return self._transition("cleaned", *(s.id for s in scopes))

    def held_back(self, scope: Scope, reason: Reason) -> list[Event]:
        """Complete, but nothing of it was deleted: it lists so much less than before that a second run has to agree."""
        return self._transition("not_cleaned", scope.id, State.HELD_BACK, reason.to_json())

    def not_cleaned(self, scope: Scope, reason: Reason) -> list[Event]:
        """Its cleanup failed for good: what it no longer lists is still in the graph."""
        return self._transition("not_cleaned", scope.id, State.FAILED, reason.to_json())

    def mark(self, tag: int) -> str:
        """Marks in the graph what this round of the run could not read. A resumed run is a new round."""
        [raw] = self._fields(self._key, "round")
        return f"{tag}.{int(raw or 0)}"

    def set_blocked_by(self, reason: str) -> None:
        """What the writer waits for, as text. Cleared by its next commit."""
        self._call("blocked_by", reason)
