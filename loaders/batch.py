"""Batches: rows of one node model from one attempt, in the form in which they wait in Redis for the writer."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NotRequired, Self, TypedDict

import msgpack

from loaders.model import NodeModel, Reference
from loaders.scope import Scope

MAX_BYTES: Final = 64_000_000  # of a batch, before compression: a fetch ends a batch at 1 MB


class InvalidBatch(Exception):
    """It can't be decoded, or holds what a batch of its scope can't hold."""


class Row(TypedDict):
    """One node on the wire. Rows wait in Redis by the million: the names are short."""

    k: str  # key
    p: dict[str, Any]  # properties, with the key among them
    r: list[list[str]]  # for each reference of the model, the keys of the other ends
    s: str  # id of the scope that owns it
    i: NotRequired[int]  # number of the item that it was read from


class KeptRow(TypedDict):
    """What could not be read and is kept as it is: all nodes of an item, one node, or its edges of one relationship."""

    s: str  # id of the scope
    i: int | None  # number of the item
    k: str | None  # key of the node
    e: str | None  # type of the relationship
    l: str | None  # noqa: E741  # label at its other end


def row_of(
    model: NodeModel, properties: Mapping[str, Any], references: Sequence[Sequence[str]], scope: Scope, item: str | None
) -> Row:
    """The wire form of one node, as `loaders.cypher.load` reads it. Properties that it lacks stay as they are.

    `item`: identifies the item that it was read from, if that item yields further rows.
    """
    key = properties[model.key.name]
    row: Row = {"k": key, "p": dict(properties), "r": [list(keys) for keys in references], "s": scope.whole.id}
    if item is not None and not model.shared:
        row["i"] = item_number(item)
    return row


def kept(
    scope: Scope, *, item: str | None = None, key: str | None = None, relationship: Reference | None = None
) -> KeptRow:
    """The wire form of data that could not be read and is kept as it is, as `loaders.cypher.keep` reads it.

    All nodes of a model that came from an item; or one node, by its key; or that node's edges of one relationship.
    """
    return {
        "s": scope.whole.id,
        "i": None if item is None else item_number(item),
        "k": key,
        "e": relationship.type if relationship else None,
        "l": relationship.label if relationship else None,
    }


def item_number(item: str) -> int:
    """Eight bytes that identify an item, as an integer: Neo4j stores it inline in the property record."""
    return int.from_bytes(hashlib.blake2b(item.encode("utf-8", "surrogatepass"), digest_size=8).digest(), signed=True)


def compress(packed: Sequence[bytes]) -> bytes:
    """Rows packed with MessagePack, as one array, at zlib level 1: a tenth of the size at little cost."""
    return zlib.compress(msgpack.Packer().pack_array_header(len(packed)) + b"".join(packed), level=1)


def decode(payload: bytes, scope: Scope) -> list[Row]:
    """The rows of a batch of this scope. Raises InvalidBatch."""
    inflate = zlib.decompressobj()
    try:
        packed = inflate.decompress(payload, MAX_BYTES)
        if not inflate.eof:
            raise InvalidBatch(f"it is cut off, or has more than {MAX_BYTES:,} bytes")
        rows: object = msgpack.unpackb(packed, raw=False)
    except (zlib.error, ValueError, msgpack.UnpackException) as error:
        raise InvalidBatch(f"{type(error).__name__}: {error}") from error
    return checked(rows, scope)


def checked(rows: object, scope: Scope) -> list[Row]:
    """Rows that this scope may write: what lies in Redis may have been put there by anyone. Raises InvalidBatch."""
    owner = scope.whole.id
    if not isinstance(rows, list) or not all(_is_row(row, owner) for row in rows):
        raise InvalidBatch(f"it has something that is not a row of {owner}")
    return rows


def _is_row(row: object, owner: str) -> bool:
    """A row, or one of data that is kept: both say whose they are."""
    match row:
        case {"s": str(scope), "k": _, "p": dict(), "r": list(), **others}:
            return scope == owner and isinstance(others.get("i"), int | None)
        case {"s": str(scope), "i": None | int(), "k": _, "e": _, "l": _}:
            return scope == owner
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchId:
    """Identifies a batch: the attempt that pushed it, its number in that attempt, and its model's wire name."""

    scope: Scope
    attempt: int
    token: str
    number: int
    model: str

    def __str__(self) -> str:
        return f"{self.model}|{self.attempt}.{self.token}|{self.number}|{self.scope.id}"

    @classmethod
    def parse(cls, text: str) -> Self:
        model, attempt, number, scope = text.split("|", 3)
        attempt_number, _, token = attempt.partition(".")
        return cls(scope=Scope.parse(scope), attempt=int(attempt_number), token=token, number=int(number), model=model)
