"""Gives nodes their `_scope`, and in the same transaction deals with their edges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import neo4j

from loaders import coverage
from loaders.adoption.labels import foreign, known
from loaders.adoption.owners import tenant_labels
from loaders.cypher import make_stub, pattern, quoted
from loaders.graph import Graph
from loaders.model import TENANT_EDGE, UNOWNED, IdLink, Link, NodeModel, Reference, Relationship
from loaders.pages import pages
from loaders.schema import GraphSchema
from loaders.scope import Scope

OTHERS: Final = "others"  # `_scope` of an edge that no scope writes, but that keeps a shared node
NODES_PER_TRANSACTION: Final = 500
RELATIONSHIPS_PER_TRANSACTION: Final = 5_000

Triple = tuple[str, str, str]  # label -[type]-> label
Statement = tuple[str, Mapping[str, Any]]  # query, and its parameters besides `$rows`

_ROWS: Final = "UNWIND $rows AS row MATCH (n) WHERE elementId(n) = row.id"
_SEEN: Final = (
    "{0}.lastupdated = coalesce(toIntegerOrNull({0}.lastupdated), {1}), "
    "{0}.firstseen = coalesce({0}.firstseen, timestamp())"
)
_HELD: Final = (
    "UNWIND $scopes AS scope MERGE (s:SyncScope {id: scope.id}) "
    "ON CREATE SET s += scope, s.firstseen = timestamp(), s.lastupdated = 0 SET s.held = true, s.held_since_tag = null"
)


@dataclass(frozen=True)
class Edges:
    """The relationships that are declared. `by_jobs`: those that analysis jobs write."""

    schema: GraphSchema
    by_jobs: tuple[Triple, ...]

    @property
    def declared(self) -> set[Triple]:
        triples = set(self.by_jobs)
        for model in self.schema.models:
            for r in model.relationships:
                reverse = not isinstance(r, Link) and r.incoming
                triples.add((r.label, r.type, model.label) if reverse else (model.label, r.type, r.label))
        return triples

    @property
    def types(self) -> set[str]:
        return {type_ for _, type_, _ in self.declared}

    def unmaintained(self, model: NodeModel) -> list[Statement]:
        """Statements that match edges `e` of `$rows` whose type is declared, but not between nodes of these labels.

        Nothing would maintain them, yet they look like edges that are maintained. Edges of other types, or to nodes of
        unknown labels, are kept. Edges from a tenant to everything would lengthen every path.
        """
        statements: list[Statement] = []
        if not model.shared:
            declared = sorted(f"{type_}|{end}" for start, type_, end in self.declared if start in model.labels)
            types = sorted(self.types)
            query = (
                f"{_ROWS} MATCH (n)-[e]->(x) WHERE type(e) IN $types AND e._scope IS NULL "
                "AND any(l IN labels(x) WHERE l IN $known) "
                "AND none(l IN labels(x) WHERE type(e) + '|' + l IN $declared)"
            )
            statements.append((query, {"types": types, "known": known(self.schema), "declared": declared}))
        for tenant in sorted(set(tenant_labels(self.schema).values())):
            names = {model.label, model.identity.label}
            if not any((tenant, TENANT_EDGE, name) in self.declared for name in names):
                statements.append(
                    (f"{_ROWS} MATCH (x:{quoted(tenant)})-[e:{TENANT_EDGE}]->(n) WHERE e._scope IS NULL", {})
                )
        return statements


def take_over(graph: Graph, model: NodeModel, scopes: Mapping[str, str], edges: Edges) -> None:
    """Give nodes of one model to their scopes, with the edges that these scopes would have written."""
    statements: list[Statement] = [(statement, {}) for statement in _statements(model, edges.schema)]
    drops = [(f"{match} DELETE e", parameters) for match, parameters in edges.unmaintained(model)]
    for page in pages(scopes, NODES_PER_TRANSACTION):
        rows = [{"id": node, "s": scopes[node]} for node in page]
        held = [coverage.place(Scope.parse(scope)) for scope in sorted({scopes[node] for node in page})]
        _write(graph, rows, [(_HELD, {"scopes": held}), *statements, *drops])


def share(graph: Graph, model: NodeModel, ids: Iterable[str], edges: Edges) -> None:
    """Mark nodes as shared: kept as long as an edge of some scope, or of a foreign node, leads to them."""
    mark = f"{_ROWS} AND n._scope IS NULL SET n._scope = '{UNOWNED}', {_SEEN.format('n', '0')}"
    drops = [(f"{match} DELETE e", parameters) for match, parameters in edges.unmaintained(model)]
    for page in pages(ids, NODES_PER_TRANSACTION):
        _write(graph, [{"id": node} for node in page], [(mark, {}), *drops])


def protect_shared(graph: Graph, schema: GraphSchema) -> None:
    """Mark the edges between foreign and shared nodes: no scope writes them, but they keep the shared nodes."""
    for model in schema.identities:
        if model.shared:
            graph.write_until_done(
                f"MATCH (n:{quoted(model.label)} {{_scope: '{UNOWNED}'}})-[e]-(x) "
                f"WHERE e._scope IS NULL AND {foreign('x')} "
                f"WITH e LIMIT $limit SET e._scope = '{OTHERS}' RETURN count(e)",
                {"known": known(schema)},
                limit=RELATIONSHIPS_PER_TRANSACTION,
            )


def orphan(graph: Graph, model: NodeModel, ids: Iterable[str]) -> None:
    """Reduce nodes to stubs, which the next run deletes at its end unless it finds them or refers to them."""
    seen = _SEEN.format("n", "0")
    stub = f"{_ROWS} AND n._scope IS NULL SET {seen} WITH n {make_stub(model, 'n.lastupdated')}"
    for page in pages(ids, NODES_PER_TRANSACTION):
        _write(graph, [{"id": node} for node in page], [(stub, {})])


@cache
def _statements(model: NodeModel, schema: GraphSchema) -> tuple[str, ...]:
    """Links before references: they are kept at the barrier even if the next run doesn't see the node."""
    links = [statement for r in model.relationships if (statement := _keep_link(r, schema))]
    references = [
        f"{_ROWS} MATCH (n){pattern(r.type, 'e', incoming=r.incoming)}(:{quoted(r.label)}) WHERE e._scope IS NULL "
        f"SET e._scope = row.s, {_SEEN.format('e', 'n.lastupdated')}"
        for r in model.references
    ]
    own = f"{_ROWS} AND n._scope IS NULL SET n._scope = row.s, {_SEEN.format('n', '0')}"
    return (own, *links, *references)


def _keep_link(relationship: Relationship, schema: GraphSchema) -> str:
    """Links follow from properties of the nodes: set those properties where an edge exists and they are missing."""
    target = schema.target(relationship)
    match relationship:
        case IdLink():
            kept, edge = quoted(relationship.kept_as), pattern(relationship.type, "", incoming=relationship.incoming)
            return (
                f"{_ROWS} AND n.{kept} IS NULL MATCH (n){edge}(t:{quoted(target.label)}) "
                f"WITH n, collect(DISTINCT t.{quoted(target.key.name)}) AS keys SET n.{kept} = keys"
            )
        case Link(through=(_, _)):
            return ""  # no earlier tool has such records
        case Link():
            values = ", ".join(
                f"n.{quoted(mine)} = coalesce(n.{quoted(mine)}, t.{quoted(theirs)})" for mine, theirs in relationship.on
            )
            edge = pattern(relationship.type, "", incoming=False)
            return f"{_ROWS} MATCH (n){edge}(t:{quoted(target.label)}) SET {values}"
        case Reference():
            return ""


def _write(graph: Graph, rows: Sequence[Mapping[str, str]], statements: Sequence[Statement]) -> None:
    """Run all statements over the same rows, in one transaction."""

    def work(tx: neo4j.ManagedTransaction) -> None:
        for statement, parameters in statements:
            tx.run(statement, rows=rows, **parameters).consume()

    graph.write(work)
