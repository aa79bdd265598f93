"""What a graph says, in a form in which two graphs can be compared: no times, no ids of Neo4j's, no order."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from loaders.graph import Graph
from loaders.indexes import BOOKKEEPING
from tasks.engine import registry

_NODES = """
MATCH (n) WHERE none(label IN labels(n) WHERE label IN $bookkeeping)
RETURN elementId(n) AS id, labels(n) AS labels, properties(n) AS properties
"""
_EDGES = """
MATCH (a)-[e]->(b) WHERE none(label IN labels(a) + labels(b) WHERE label IN $bookkeeping)
RETURN elementId(e) AS id, elementId(a) AS start, type(e) AS type, properties(e) AS properties, elementId(b) AS end
"""

State = Counter[str]  # one line per node and per edge


def graph_state(graph: Graph) -> State:
    """Every node by labels, key and properties, every edge by type, ends and properties.

    Of `lastupdated` it says only whether that is the last run's tag, and of `firstseen` nothing.
    """
    tag = graph.rows("MATCH (g:SyncGraph) RETURN g.tag AS tag")[0]["tag"]
    names: dict[str, str] = {}
    state: State = Counter()
    for node in graph.rows(_NODES, {"bookkeeping": BOOKKEEPING}):
        names[node["id"]] = name = _name(node["labels"], node["properties"])
        state[f"{name} {':'.join(sorted(node['labels']))} {_told(node['properties'], tag)}"] += 1
    for edge in graph.rows(_EDGES, {"bookkeeping": BOOKKEEPING}):
        line = f"{names[edge['start']]} -{edge['type']}-> {names[edge['end']]} {_told(edge['properties'], tag)}"
        state[line] += 1
    return state


def difference(found: State, expected: State) -> list[str]:
    """What is too much (+) and what is missing (-)."""
    more = [f"+ {line}" for line in (found - expected).elements()]
    return sorted(more + [f"- {line}" for line in (expected - found).elements()])


def elements(graph: Graph) -> dict[str, dict[str, Any]]:
    """Every node and relationship by Neo4j's own id, with all that it says but `lastupdated`."""
    found: dict[str, dict[str, Any]] = {}
    for query in (_NODES, _EDGES):
        for row in graph.rows(query, {"bookkeeping": BOOKKEEPING}):
            row["properties"].pop("lastupdated", None)
            found[row.pop("id")] = {**row, "labels": sorted(row.get("labels", ()))}
    return found


def _name(labels: list[str], properties: dict[str, Any]) -> str:
    for identity in registry.schema().identities:
        if identity.label in labels:
            return f"{identity.label}({properties[identity.key.name]})"
    return f"{'/'.join(sorted(labels))}({json.dumps(properties, sort_keys=True)})"


def _told(properties: dict[str, Any], tag: int) -> str:
    told = {key: value for key, value in properties.items() if key != "firstseen"}
    if "lastupdated" in told:
        told["lastupdated"] = "by this run" if told["lastupdated"] == tag else "earlier"
    return json.dumps(told, sort_keys=True)
