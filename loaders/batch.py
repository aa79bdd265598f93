"""Batches: rows of one node model of one attempt, in the form in which they wait in Redis for the writer."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import msgpack

from loaders.model import Node
from loaders.scope import Scope

Row = dict[str, Any]


def row_of(node: Node, id_links: Sequence[Sequence[Any]], references: Sequence[Sequence[Any]], scope: Scope) -> Row:
    """The wire form of one node: what `loaders.cypher.load` reads."""
    model = node.model
    properties = {p.name: getattr(node, p.name) for p in model.properties}
    key = properties[model.key.name]
    for relationship, keys in zip(model.id_links, id_links, strict=True):
        properties[relationship.kept_as] = list(keys) or None
    return {"k": key, "p": properties, "r": [list(keys) for keys in references], "s": scope.whole.id}


def compress(packed: Sequence[bytes]) -> bytes:
    """Rows that are MessagePack already, as one array, then zlib level 1: a tenth of the bytes for little time."""
    return zlib.compress(msgpack.Packer().pack_array_header(len(packed)) + b"".join(packed), level=1)


def decode(payload: bytes) -> list[Row]:
    rows: list[Row] = msgpack.unpackb(zlib.decompress(payload), raw=False)
    return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchId:
    """Names a batch: the attempt that pushed it, its number in that attempt, and its model's wire name."""

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
        counted, _, token = attempt.partition(".")
        return cls(scope=Scope.parse(scope), attempt=int(counted), token=token, number=int(number), model=model)
