"""What becomes of a node that is taken over, and of its edges, in the transaction that gives it its `_scope`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
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
from loaders.model import TENANT_EDGE, UNOWNED, GraphSchema, IdLink, Link, NodeModel, Reference, Relationship
from loaders.scope import GLOBAL, Scope

OTHERS: Final = "others"  # `_scope` of an edge that no scope writes, and that shared nodes are needed by
NODES_PER_TRANSACTION: Final = 500
RELATIONSHIPS_PER_TRANSACTION: Final = 5_000

Triple = tuple[str, str, str]  # label -[type]-> label

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

    def unkept(self, model: NodeModel) -> tuple[str, dict[str, Any]]:
        """A condition on `(n)-[e]->(x)`, and its parameters: of a type that is declared, but not between such nodes.

        Nobody would keep it up, and it would be taken for an edge that somebody does. What has an end that isn't known
        here stays, and so does what is of a type that isn't.
        """
        return (
            "type(e) IN $types AND e._scope IS NULL AND any(l IN labels(x) WHERE l IN $known) "
            "AND none(l IN labels(x) WHERE type(e) + '|' + l IN $declared)",
            {
                "types": sorted({type_ for _, type_, _ in self.declared}),
                "known": sorted({m.label for m in self.schema.models}),
                "declared": sorted(f"{type_}|{end}" for start, type_, end in self.declared if start in model.labels),
            },
        )


def take_over(graph: Graph, model: NodeModel, scopes: Mapping[str, str], edges: Edges) -> None:
    """Give nodes of one model to their scopes, and with them the edges that these would have written."""
    statements = _statements(model, edges.schema)
    unkept, parameters = edges.unkept(model)
    drop = f"{_ROWS} MATCH (n)-[e]->(x) WHERE {unkept} DELETE e"
    drop_tenants = tenant_edges(model, edges)
    pending = iter(scopes.items())
    while page := list(islice(pending, NODES_PER_TRANSACTION)):
        rows = [{"id": node, "s": scope} for node, scope in page]
        held = [coverage.place(Scope.parse(scope)) for scope in sorted({scope for _, scope in page})]

        def work(
            tx: neo4j.ManagedTransaction,
            rows: Sequence[Mapping[str, str]] = rows,
            held: Sequence[Mapping[str, Any]] = held,
        ) -> None:
            tx.run(_HELD, scopes=held).consume()
            for statement in statements:
                tx.run(statement, rows=rows).consume()
            tx.run(drop, rows=rows, **parameters).consume()
            if drop_tenants:
                tx.run(f"{_ROWS} {drop_tenants} DELETE e", rows=rows).consume()

        graph.write(work)


def share(graph: Graph, model: NodeModel, ids: Iterable[str], edges: Edges) -> None:
    """Nodes that live as long as an edge of some scope needs them, or one of what no scope here owns."""
    drop_tenants = tenant_edges(model, edges)
    mark = f"{_ROWS} AND n._scope IS NULL SET n._scope = '{UNOWNED}', {_SEEN.format('n', '0')}"
    _by_page(graph, ids, [mark, *([f"{_ROWS} {drop_tenants} DELETE e"] if drop_tenants else [])])


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
    _by_page(graph, ids, [f"{_ROWS} AND n._scope IS NULL SET {seen} WITH n {make_stub(model, 'n.lastupdated')}"])


def take_over_tenants(graph: Graph, schema: GraphSchema) -> None:
    """What the rows of tenants themselves wrote. The tenants stay as they are: those that aren't synced are kept."""
    for type_name, models in schema.models_of_type.items():
        for model in models:
            if model.label in tenant_labels(schema).values():
                key = f"n.{quoted(model.key.name)}"
                for r in model.references:
                    edge = pattern(r.type, "e", incoming=r.incoming)
                    _until_done(
                        graph,
                        f"MATCH (n:{quoted(model.label)}){edge}(:{quoted(r.label)}) "
                        f"WHERE e._scope IS NULL AND {key} IS NOT NULL WITH n, e LIMIT $limit "
                        f"SET e._scope = $type + '/' + {key} + '/{GLOBAL}', {_SEEN.format('e', '0')} "
                        "RETURN count(e) AS done",
                        {"type": type_name},
                    )


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
        case Link():
            values = ", ".join(
                f"n.{quoted(mine)} = coalesce(n.{quoted(mine)}, t.{quoted(theirs)})" for mine, theirs in relationship.on
            )
            edge = pattern(relationship.type, "", incoming=False)
            return f"{_ROWS} MATCH (n){edge}(t:{quoted(target.label)}) SET {values}"
        case Reference():
            return ""


def tenant_edges(model: NodeModel, edges: Edges) -> str:
    """Matches RESOURCE from a tenant to a node whose model has none; they would lengthen every path of RESOURCE."""
    names: Collection[str] = {m.label for m in (model, model.identity)}
    labels = sorted(set(tenant_labels(edges.schema).values()))
    undeclared = [t for t in labels if not any((t, TENANT_EDGE, name) in edges.declared for name in names)]
    if not undeclared:
        return ""
    return f"MATCH (t:{'|'.join(quoted(t) for t in undeclared)})-[e:{TENANT_EDGE}]->(n) WHERE e._scope IS NULL"


def _by_page(graph: Graph, ids: Iterable[str], statements: Sequence[str]) -> None:
    pending = iter(ids)
    while page := list(islice(pending, NODES_PER_TRANSACTION)):

        def work(tx: neo4j.ManagedTransaction, page: Sequence[str] = page) -> None:
            for statement in statements:
                tx.run(statement, rows=[{"id": node} for node in page]).consume()

        graph.write(work)


def _until_done(graph: Graph, query: str, parameters: Mapping[str, Any]) -> None:
    def work(tx: neo4j.ManagedTransaction) -> int:
        return int(tx.run(query, {**parameters}, limit=RELATIONSHIPS_PER_TRANSACTION).single(strict=True)["done"])

    while graph.write(work):
        pass
