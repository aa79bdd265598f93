"""Writes a synthetic estate into an empty graph with all indexes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import neo4j

from benchmarks.graph_growth.estate import Edge, Vertex, cells
from loaders import indexes
from loaders.graph import Graph
from loaders.ledger import Unit
from loaders.pages import pages
from loaders.schema import GraphSchema
from loaders.scope import Scope, regions_type
from tests.fleet import ledger_records

_AT_ONCE: Final = 5_000  # nodes or edges
# Fixed texts for all labels and types: to plan one for each would take longer than to write a small estate.
_NODES: Final = "UNWIND $nodes AS node CREATE (n:$(node.labels)) SET n = node.properties RETURN elementId(n) AS id"
_EDGES: Final = """
UNWIND $edges AS edge
MATCH (a) WHERE elementId(a) = edge.start
MATCH (b) WHERE elementId(b) = edge.end
CREATE (a)-[e:$(edge.type)]->(b) SET e = edge.properties
"""


def fill(graph: Graph, schema: GraphSchema, nodes: int, *, one_tenant: bool = False) -> list[Scope]:
    """About so many nodes. Returns the scopes that own them."""
    indexes.ensure(graph, schema)
    scopes: list[Scope] = []
    for cell in cells(schema, nodes, one_tenant=one_tenant):
        for vertices in pages(cell.vertices, _AT_ONCE):
            graph.write(partial(_write_nodes, vertices))
        for edges in pages(cell.edges, _AT_ONCE):
            graph.write(partial(_write_edges, edges))
        scopes += cell.scopes
    graph.autocommit("CALL db.resampleOutdatedIndexes()")  # Neo4j does that every few seconds, and plans by it
    return scopes


def _write_nodes(vertices: Sequence[Vertex], tx: neo4j.ManagedTransaction) -> None:
    rows = [{"labels": [*vertex.labels], "properties": vertex.properties} for vertex in vertices]
    for vertex, record in zip(vertices, tx.run(_NODES, nodes=rows), strict=True):
        vertex.element_id = record["id"]


def _write_edges(edges: Sequence[Edge], tx: neo4j.ManagedTransaction) -> None:
    tx.run(_EDGES, edges=[_row(edge.start, edge.type, edge.end, edge.properties) for edge in edges]).consume()


def _row(start: Vertex, type: str, end: Vertex, properties: Any) -> dict[str, Any]:
    return {"start": start.element_id, "type": type, "end": end.element_id, "properties": dict(properties)}


def units(scopes: Sequence[Scope]) -> list[Unit]:
    """Every scope as complete, and the planning of each tenant."""
    planners = {Scope(type=regions_type(scope.provider), tenant=scope.tenant) for scope in scopes}
    return [ledger_records.unit(scope) for scope in (*sorted(planners, key=lambda planner: planner.id), *scopes)]
