"""What becomes of a node that is taken over, and of its edges, in the transaction that gives it its `_scope`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Any, Final

import neo4j

from loaders import coverage
from loaders.adoption.labels import foreign, known
from loaders.adoption.owners import tenant_labels
from loaders.cypher import make_stub, pattern, quoted
from loaders.graph import Graph
from loaders.model import TENANT_EDGE, UNOWNED, IdLink, Link, NodeModel, Reference, Relationship
from loaders.schema import GraphSchema
from loaders.scope import Scope

OTHERS: Final = "others"  # `_scope` of an edge that no scope writes, and that shared nodes are needed by
NODES_PER_TRANSACTION: Final = 500
RELATIONSHIPS_PER_TRANSACTION: Final = 5_000

Triple = tuple[str, str, str]  # label -[type]-> label
Statement = tuple[str, Mapping[str, Any]]  # and its parameters besides `$rows`

_ROWS: Final = "UNWIND $rows AS row MATCH (n) WHERE elementId(n) = row.id"
_SEEN: Final = (
    "{0}.lastupdated = coalesce(toIntegerOrNull({0}.lastupdated), {1}), "
    "{0}.firstseen = coalesce({0}.firstseen, timestamp())"
)
_HELD: Final = (
    "UNWIND $scopes AS scope MERGE (s:SyncScope {id: scope.id}) "
    "ON CREATE SET s += scope, s.firstseen = timestamp(), s.lastupdated = 0 SET s.held = true"
)


@dataclass(frozen=True)
class Edges:
    """Which relationships the schema knows. `drawn`: those that analysis jobs write."""

    schema: GraphSchema
    drawn: tuple[Triple, ...]

    @property
    def declared(self) -> set[Triple]:
        found = set(self.drawn)
        for model in self.schema.models:
            for r in model.relationships:
                reverse = not isinstance(r, Link) and r.incoming
                found.add((r.label, r.type, model.label) if reverse else (model.label, r.type, r.label))
        return found

    @property
    def types(self) -> set[str]:
        return {type_ for _, type_, _ in self.declared}

    def unkept(self, model: NodeModel) -> list[tuple[str, dict[str, Any]]]:
        """Statements that match `e` of `$rows`: of a type that is declared, but not between such nodes; from and to.

        Nobody would keep it up, and it would be taken for an edge that somebody does. What has an end that isn't known
        here stays, and so does what is of a type that isn't. A tenant's edge to everything lengthens every path.
        """
        found: list[tuple[str, dict[str, Any]]] = []
        if not model.shared:
            declared = sorted(f"{type_}|{end}" for start, type_, end in self.declared if start in model.labels)
            types = sorted(self.types)
            query = (
                f"{_ROWS} MATCH (n)-[e]->(x) WHERE type(e) IN $types AND e._scope IS NULL "
                "AND any(l IN labels(x) WHERE l IN $known) "
                "AND none(l IN labels(x) WHERE type(e) + '|' + l IN $declared)"
            )
            found.append((query, {"types": types, "known": known(self.schema), "declared": declared}))
        for tenant in sorted(set(tenant_labels(self.schema).values())):
            names = {model.label, model.identity.label}
            if not any((tenant, TENANT_EDGE, name) in self.declared for name in names):
                found.append((f"{_ROWS} MATCH (x:{quoted(tenant)})-[e:{TENANT_EDGE}]->(n) WHERE e._scope IS NULL", {}))
        return found


def take_over(graph: Graph, model: NodeModel, scopes: Mapping[str, str], edges: Edges) -> None:
    """Give nodes of one model to their scopes, and with them the edges that these would have written."""
    statements: list[Statement] = [(statement, {}) for statement in _statements(model, edges.schema)]
    drops = [(f"{match} DELETE e", parameters) for match, parameters in edges.unkept(model)]
    for page in pages(scopes):
        rows = [{"id": node, "s": scopes[node]} for node in page]
        held = [coverage.place(Scope.parse(scope)) for scope in sorted({scopes[node] for node in page})]
        _write(graph, rows, [(_HELD, {"scopes": held}), *statements, *drops])


def share(graph: Graph, model: NodeModel, ids: Iterable[str], edges: Edges) -> None:
    """Nodes that live as long as an edge of some scope needs them, or one of what no scope here owns."""
    mark = f"{_ROWS} AND n._scope IS NULL SET n._scope = '{UNOWNED}', {_SEEN.format('n', '0')}"
    drops = [(f"{match} DELETE e", parameters) for match, parameters in edges.unkept(model)]
    for page in pages(ids):
        _write(graph, [{"id": node} for node in page], [(mark, {}), *drops])


def protect_shared(graph: Graph, schema: GraphSchema) -> None:
    """Mark the edges by which nodes of other modules need shared ones: what nobody here writes, nobody here deletes."""
    for model in schema.identities:
        if model.shared:
            _until_done(
                graph,
                f"MATCH (n:{quoted(model.label)} {{_scope: '{UNOWNED}'}})-[e]-(x) "
                f"WHERE e._scope IS NULL AND {foreign('x')} "
                f"WITH e LIMIT $limit SET e._scope = '{OTHERS}' RETURN count(e) AS done",
                {"known": known(schema)},
            )


def orphan(graph: Graph, model: NodeModel, ids: Iterable[str]) -> None:
    """Stubs: the next run deletes them at its end, unless it has found them again or refers to them."""
    seen = _SEEN.format("n", "0")
    stub = f"{_ROWS} AND n._scope IS NULL SET {seen} WITH n {make_stub(model, 'n.lastupdated')}"
    for page in pages(ids):
        _write(graph, [{"id": node} for node in page], [(stub, {})])


def pages(ids: Iterable[str]) -> Iterator[list[str]]:
    """What one transaction takes."""
    pending = iter(ids)
    while page := list(islice(pending, NODES_PER_TRANSACTION)):
        yield page


@cache
def _statements(model: NodeModel, schema: GraphSchema) -> tuple[str, ...]:
    """Links first: they keep what the barrier would otherwise delete of a node that isn't seen in the next run."""
    links = [statement for r in model.relationships if (statement := _keep_link(r, schema))]
    references = [
        f"{_ROWS} MATCH (n){pattern(r.type, 'e', incoming=r.incoming)}(:{quoted(r.label)}) WHERE e._scope IS NULL "
        f"SET e._scope = row.s, {_SEEN.format('e', 'n.lastupdated')}"
        for r in model.references
    ]
    own = f"{_ROWS} AND n._scope IS NULL SET n._scope = row.s, {_SEEN.format('n', '0')}"
    return (own, *links, *references)


def _keep_link(relationship: Relationship, schema: GraphSchema) -> str:
    """Links are drawn by what the nodes say: where an edge is and the node doesn't say so yet, it says it now."""
    target = schema.target(relationship)
    match relationship:
        case IdLink():
            kept, edge = quoted(relationship.kept_as), pattern(relationship.type, "", incoming=relationship.incoming)
            return (
                f"{_ROWS} AND n.{kept} IS NULL MATCH (n){edge}(t:{quoted(target.label)}) "
                f"WITH n, collect(DISTINCT t.{quoted(target.key.name)}) AS keys SET n.{kept} = keys"
            )
        case Link(through=(_, _)):
            return ""  # what it goes through, no earlier tool has
        case Link():
            values = ", ".join(
                f"n.{quoted(mine)} = coalesce(n.{quoted(mine)}, t.{quoted(theirs)})" for mine, theirs in relationship.on
            )
            edge = pattern(relationship.type, "", incoming=False)
            return f"{_ROWS} MATCH (n){edge}(t:{quoted(target.label)}) SET {values}"
        case Reference():
            return ""


def _write(graph: Graph, rows: Sequence[Mapping[str, str]], statements: Sequence[Statement]) -> None:
    """All statements over the same rows, in one transaction."""

    def work(tx: neo4j.ManagedTransaction) -> None:
        for statement, parameters in statements:
            tx.run(statement, rows=rows, **parameters).consume()

    graph.write(work)


def _until_done(graph: Graph, query: str, parameters: Mapping[str, Any]) -> None:
    def work(tx: neo4j.ManagedTransaction) -> int:
        return int(tx.run(query, {**parameters}, limit=RELATIONSHIPS_PER_TRANSACTION).single(strict=True)["done"])

    while graph.write(work):
        pass
