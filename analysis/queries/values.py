"""Values of the graph as JSON has them: the same result gives the same text."""

from __future__ import annotations

import base64
import math
from typing import Any

from neo4j.graph import Node, Path, Relationship
from neo4j.spatial import Point


def as_json(value: Any) -> Any:
    """A node or a relationship is its properties, a path the list of its nodes with the types between them.

    Times and durations are ISO texts, a point is a list of its coordinates, bytes are Base64, NaN and infinity texts.
    """
    match value:
        case Path():
            return list(_of_path(value))
        case Node() | Relationship():
            return as_json(dict(value.items()))
        case Point():
            return [as_json(coordinate) for coordinate in value]
        case dict():
            return {str(name): as_json(value[name]) for name in sorted(value)}
        case list() | tuple():
            return [as_json(element) for element in value]
        case bytes() | bytearray():
            return base64.b64encode(value).decode()
        case float() if not math.isfinite(value):
            return str(value)
        case None | bool() | int() | float() | str():
            return value
    return value.iso_format() if hasattr(value, "iso_format") else str(value)


def _of_path(path: Path) -> Any:
    """Node, type, node, ..."""
    yield as_json(path.nodes[0])
    for relationship, node in zip(path.relationships, path.nodes[1:], strict=True):
        yield relationship.type
        yield as_json(node)
