"""What the graph holds, as two runs can compare it: elements by name, each with its owner and what it says."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from loaders.graph import Graph
from loaders.indexes import BOOKKEEPING
from tasks.engine import registry

_NODES: Final = """
MATCH (n) WHERE none(label IN labels(n) WHERE label IN $bookkeeping)
RETURN elementId(n) AS id, labels(n) AS labels, properties(n) AS properties
"""
_EDGES: Final = """
MATCH (a)-[e]->(b) WHERE none(label IN labels(a) + labels(b) WHERE label IN $bookkeeping)
RETURN elementId(a) AS start, type(e) AS type, properties(e) AS properties, elementId(b) AS end
"""
_TIMES: Final = ("firstseen", "lastupdated")
# What is created again has the same name, and others of these.
_GIVEN: Final = frozenset({"createdate", "creationdate", "roleid", "userid"})


@dataclass(frozen=True, slots=True)
class Element:
    """A node or a relationship.

    owner     the scope whose data it is; "" for what belongs to none
    says      all properties but times, as text
    declared  those that its scope's own type writes: not what the analysis adds
    current   the last run has seen it
    """

    owner: str
    says: str
    declared: str
    current: bool
    firstseen: int


Snapshot = dict[str, Element]  # by name: label and key, or both ends and the type


def snapshot(graph: Graph) -> Snapshot:
    """Every node and relationship but the bookkeeping."""
    tag = graph.rows("OPTIONAL MATCH (g:SyncGraph) RETURN max(g.tag) AS tag")[0]["tag"]
    names: dict[str, str] = {}
    seen: Counter[str] = Counter()
    found: Snapshot = {}

    def add(name: str, properties: dict[str, Any], own: frozenset[str] | None, labels: str) -> None:
        seen[name] += 1
        found[name if seen[name] == 1 else f"{name} #{seen[name]}"] = _element(properties, own, labels, tag)

    for node in graph.rows(_NODES, {"bookkeeping": BOOKKEEPING}):
        labels = sorted(node["labels"])
        names[node["id"]] = name = _name(labels, node["properties"])
        add(name, node["properties"], _declared(tuple(labels)), ":".join(labels))
    for edge in graph.rows(_EDGES, {"bookkeeping": BOOKKEEPING}):
        add(f"{names[edge['start']]} -{edge['type']}-> {names[edge['end']]}", edge["properties"], None, "")
    return found


def _element(properties: dict[str, Any], own: frozenset[str] | None, labels: str, tag: int | None) -> Element:
    told = {key: value for key, value in properties.items() if _tells(key)}
    declared = told if own is None else {key: value for key, value in told.items() if key in own}
    return Element(
        owner=str(properties.get("_scope") or ""),
        says=f"{labels} {json.dumps(told, sort_keys=True, default=str)}",
        declared=json.dumps(declared, sort_keys=True, default=str),
        current=properties.get("lastupdated") == tag,
        firstseen=int(properties.get("firstseen") or 0),
    )


def _tells(key: str) -> bool:
    return key not in _TIMES and key not in _GIVEN and not key.startswith("_")


def _name(labels: list[str], properties: dict[str, Any]) -> str:
    for identity in registry.schema().identities:
        if identity.label in labels and identity.key.name in properties:
            return f"{identity.label}({properties[identity.key.name]})"
    return f"{'/'.join(labels)}({json.dumps(properties, sort_keys=True, default=str)})"


@cache
def _declared(labels: tuple[str, ...]) -> frozenset[str]:
    """The properties of all models with one of these labels."""
    models = [model for model in registry.schema().models if model.label in labels or model.identity.label in labels]
    return frozenset(declared.name for model in models for declared in model.properties)
