"""The writer's transitions: it takes batches, reports them committed, and cleans complete scopes."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from typing import Final

from loaders.ledger.seals import BATCH, Seals
from loaders.ledger.state import Event, State, Taken
from loaders.reason import Reason
from loaders.scope import Scope

log = logging.getLogger(__name__)

NOT_COMPLETE: Final = Reason(failure="not signed", detail="no signature of this fleet says that it is complete")
GAP = "gap:"  # prefix of a unit's fields that say what was not seen, and of how many items


class Writing(Seals):
    def take(self, *, max_batches: int, max_bytes: int) -> Taken | None:
        """Batches of one model that wait for the writer. They stay in the ledger until they are committed.

        One that no fetcher of the fleet signed counts as lost: its scope is fetched again.
        """
        while reply := self._taken(max_batches, max_bytes):
            pairs = zip(map(bytes.decode, reply[2::2]), reply[3::2], strict=True)
            opened = [(name, self._signer.open(BATCH, name, sealed)) for name, sealed in pairs]
            for name in (name for name, payload in opened if payload is None):
                log.error("%s: not loaded, because its signature isn't this fleet's; fetched again", name)
                self._redis.unlink(f"{self._key}:payload:{name}")
            if batches := tuple((name, payload) for name, payload in opened if payload is not None):
                return Taken(reply[0].decode(), int(reply[1]), batches)
        return None

    def _taken(self, max_batches: int, max_bytes: int) -> list[bytes]:
        """The model, how often these batches were taken, and name and sealed payload of each; empty if none waits."""
        reply: list[bytes] = self._call("take", max_batches, max_bytes)
        return reply

    def excuse(self, batches: Iterable[str]) -> None:
        """They were taken and not committed for a reason that has nothing to do with them."""
        self._call("excuse", *batches)

    def committed(self, batches: Iterable[str], *, failed: Collection[Scope] = ()) -> list[Event]:
        """`failed`: scopes of which the graph lacks rows. Their batches get no receipt: nothing of them is deleted."""
        without = {scope.whole.id for scope in failed}
        pairs = ((batch, self._receipt(batch, without)) for batch in batches)
        return self._transition("committed", *(word for pair in pairs for word in pair))

    def bad_rows(self, scope: Scope, reason: str) -> None:
        """The graph refused rows. Called before the batch is committed, so that the scope deletes nothing."""
        self._call("bad_rows", scope.whole.id, reason)

    def cleanups(self, *, max_scopes: int = 500) -> list[Scope]:
        """Complete scopes whose batches are all committed, and which are to be cleaned.

        What a forged record calls complete is not among them: that scope ends as failed, and nothing of it is deleted.
        """
        while page := self._due(max_scopes):
            complete = self._complete(page)
            forged = [unit for unit in page if unit not in complete]
            if forged:
                log.error("%s: not cleaned: no signature says that the scope is complete", ", ".join(forged[:10]))
                self._call("refuse_cleanup", NOT_COMPLETE.to_json(), *forged)
            if complete:
                return [Scope.parse(unit) for unit in page if unit in complete]
        return []

    def _due(self, max_scopes: int) -> list[str]:
        due: list[bytes] = self._call("cleanups", max_scopes)
        return sorted(scope.decode() for scope in due)

    def cleaned(self, scopes: Iterable[Scope]) -> list[Event]:
        receipts = self._settled_receipts(State.CLEANED, [scope.id for scope in scopes])
        return self._transition("cleaned", *(word for pair in receipts.items() for word in pair))

    def held_back(self, scope: Scope, reason: Reason) -> list[Event]:
        """Complete, but nothing of it was deleted: it lists so much less than before that a second run has to agree."""
        [receipt] = self._settled_receipts(State.HELD_BACK, [scope.id]).values()
        return self._transition("not_cleaned", scope.id, State.HELD_BACK, reason.to_json(), receipt)

    def not_cleaned(self, scope: Scope, reason: Reason) -> list[Event]:
        """Its cleanup failed for good: what it no longer lists is still in the graph."""
        return self._transition("not_cleaned", scope.id, State.FAILED, reason.to_json(), "")

    def mark(self, tag: int) -> str:
        """Marks in the graph what this round of the run could not read. A resumed run is a new round."""
        [raw] = self._fields(self._key, "round")
        return f"{tag}.{int(raw or 0)}"

    def rest(self) -> bool:
        """The writer has done everything that it found. False: more has come meanwhile. True: it is woken for more."""
        return not self._call("rest")

    def set_blocked_by(self, reason: str) -> None:
        """What the writer waits for, as text. Cleared by its next commit."""
        self._call("blocked_by", reason)
