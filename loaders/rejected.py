"""Rows that the graph refused, as they are kept for whoever looks into it: with the reason, and bounded."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

import msgpack

from loaders.batch import InvalidBatch, Row, checked
from loaders.reason import MAX_DETAIL
from loaders.scope import Scope

MAX_ROW_BYTES: Final = 64_000  # of a larger one only scope, model, key and reason are kept
MAX_KEY: Final = 300  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRow:
    """A row of a scope that is not in the graph.

    model   its wire name: resource type and label
    row     None where it is too large to be kept, and can't be loaded again
    at_ms   when it was rejected, by the loader's clock
    """

    scope: str
    model: str
    key: str
    reason: str
    row: Row | None
    at_ms: int

    @classmethod
    def of(cls, model: str, row: Row, reason: str) -> Self:
        kept = row if len(msgpack.packb(row, use_bin_type=True)) <= MAX_ROW_BYTES else None
        return cls(
            scope=row["s"],
            model=model,
            key=str(row["k"])[:MAX_KEY],
            reason=reason[:MAX_DETAIL],
            row=kept,
            at_ms=int(time.time() * 1000),
        )

    @property
    def id(self) -> str:
        """Short, and the same however often the row is rejected."""
        names = "\n".join((self.scope, self.model, self.key))
        return hashlib.blake2b(names.encode("utf-8", "replace"), digest_size=4).hexdigest()

    def to_bytes(self) -> bytes:
        packed: bytes = msgpack.packb(asdict(self), use_bin_type=True)
        return packed

    @classmethod
    def parse(cls, packed: bytes) -> Self:
        """Raises InvalidBatch where it isn't what `to_bytes` wrote."""
        try:
            fields: Mapping[str, Any] = msgpack.unpackb(packed, raw=False)
            rejected = cls(**fields)
            if not all(isinstance(fields[name], str) for name in ("scope", "model", "key", "reason")):
                raise InvalidBatch("a rejected row has a scope, a model, a key and a reason")
            if rejected.row is not None:
                checked([rejected.row], Scope.parse(rejected.scope))
        except InvalidBatch:
            raise
        except Exception as error:
            raise InvalidBatch(f"{type(error).__name__}: {error}") from error
        return rejected
