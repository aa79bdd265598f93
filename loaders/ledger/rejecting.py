"""Rejected rows: the writer adds them, `chartfleet rejected` shows them, loads them again, or drops them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from loaders.batch import InvalidBatch
from loaders.ledger.scripts import Scripts
from loaders.ledger.writing import GAP
from loaders.reason import REJECTED, Reason
from loaders.rejected import RejectedRow

_REJECTED_ROW: Final = "rejected row"
MAX_ROWS: Final = 1_000  # kept per run
MAX_BYTES: Final = 8_000_000
KEPT_SECONDS: Final = 30 * 24 * 3600  # and no longer than the ledger of the run


class Rejecting(Scripts):
    def reject(self, rejected: RejectedRow) -> None:
        """Keep a row that the graph refused, whose node stays as it was: a gap of its scope."""
        label = rejected.model.rpartition(":")[2]
        gap = GAP + Reason(failure=REJECTED, detail=f"{label}: {rejected.reason}").to_json()
        entry = self._sealed(rejected)
        self._call("reject", rejected.scope, gap, rejected.id, entry, MAX_ROWS, MAX_BYTES, KEPT_SECONDS)

    def rejected_rows(self) -> list[RejectedRow]:
        """By scope, model and key. What is not such a row, or not signed by the fleet, is left out."""
        raw: dict[bytes, bytes] = self._redis.hgetall(f"{self._key}:rejected")  # type: ignore[assignment]
        rows: list[RejectedRow] = []
        for name, sealed in raw.items():
            entry = self._signer.open(_REJECTED_ROW, name.decode(errors="replace"), sealed)
            try:
                rows += [RejectedRow.parse(entry)] if entry is not None else []
            except InvalidBatch:
                continue
        return sorted(rows, key=lambda row: (row.scope, row.model, row.key))

    def rejected_count(self) -> int:
        """How many were rejected, whether they are kept or not."""
        return int(self._redis.hlen(f"{self._key}:rejected")) + self.rejected_more()

    def rejected_more(self) -> int:
        """How many further rows were rejected and are not kept."""
        [raw] = self._fields(self._key, "rejected_more")
        return int(raw or 0)

    def _sealed(self, rejected: RejectedRow) -> bytes:
        return self._signer.seal(_REJECTED_ROW, rejected.id, rejected.to_bytes())

    def replace_rejected(self, rejected: RejectedRow) -> None:
        """It was tried again, and rejected for another reason."""
        self._redis.hset(f"{self._key}:rejected", rejected.id, self._sealed(rejected))
        self._redis.expire(f"{self._key}:rejected", KEPT_SECONDS)

    def drop_rejected(self, rows: Iterable[RejectedRow]) -> None:
        self._redis.hdel(f"{self._key}:rejected", *(row.id for row in rows))
