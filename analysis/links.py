"""Links, at the barrier: relationships between nodes that exist by then, derived from the declarations.

First those by id, then those by value, then those through a record: a link by value may be limited to what a link by id
reaches, and a record's own link may be by value.
"""

from __future__ import annotations

from collections.abc import Container, Iterator

import neo4j

from loaders import cypher
from loaders.graph import Graph
from loaders.schema import GraphSchema

NODES_PER_TRANSACTION = 5_000
MAX_DELETED_PER_TRANSACTION = 10_000


def statements(schema: GraphSchema, present: Container[str]) -> Iterator[tuple[str, str]]:
    """(delete, draw) of every link of every model, in the order in which they are run.

    `present`: the labels that nodes have. Where either end has none there is nothing to draw, and nothing to delete.
    """
    for model in schema.models:
        for by_id in model.id_links:
            target = schema.target(by_id)
            if model.label in present and target.label in present:
                yield cypher.id_link(model, by_id, target)
    for through in (False, True):
        for model in schema.models:
            for by_value in model.links:
                target = schema.target(by_value)
                if bool(by_value.through) is through and model.label in present and target.label in present:
                    yield cypher.link(model, by_value, target)


def write(graph: Graph, schema: GraphSchema) -> None:
    """Make the links what the nodes say now. Repeating it changes nothing."""
    for delete, page in statements(schema, graph.labels()):
        _delete(graph, delete)
        _draw(graph, page)


def _delete(graph: Graph, query: str) -> None:
    def work(tx: neo4j.ManagedTransaction) -> int:
        return int(tx.run(query, limit=MAX_DELETED_PER_TRANSACTION).single(strict=True)["deleted"])

    while graph.write(work) == MAX_DELETED_PER_TRANSACTION:
        pass


def _draw(graph: Graph, query: str) -> None:
    after: str | None = ""
    while after is not None:

        def work(tx: neo4j.ManagedTransaction, after: str | None = after) -> str | None:
            last: str | None = tx.run(query, after=after, limit=NODES_PER_TRANSACTION).single(strict=True)["last"]
            return last

        after = graph.write(work)
