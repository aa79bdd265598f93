"""Batches: rows of one node model from one attempt, in the form in which they wait in Redis for the writer."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NotRequired, Self, TypedDict

import msgpack

from loaders.model import NodeModel, Reference
from loaders.scope import Scope


class InvalidRow(ValueError):
    """A row with a value that the wire can't hold."""


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


def pack(row: Row | KeptRow) -> bytes:
    """A row in MessagePack. Raises InvalidRow for what the wire can't hold, which no other row is to pay for."""
    try:
        packed: bytes = msgpack.packb(row, use_bin_type=True)
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidRow(f"can't be sent: {error}"[:200]) from error
    return packed


def compress(packed: Sequence[bytes]) -> bytes:
    """Rows packed with MessagePack, as one array, at zlib level 1: a tenth of the size at little cost."""
    return zlib.compress(msgpack.Packer().pack_array_header(len(packed)) + b"".join(packed), level=1)


def decode(payload: bytes) -> list[Row]:
    rows: list[Row] = msgpack.unpackb(zlib.decompress(payload), raw=False)
    return rows


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
