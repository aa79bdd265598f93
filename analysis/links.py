"""Writes links at the barrier: declared relationships between nodes that exist by then.

First links by id, then by value, then through a record: a link by value may be limited to the ends of a link by id, and
a record's own link may be by value.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from functools import partial

import neo4j

from analysis.edges import delete_edges
from loaders import cypher
from loaders.graph import Graph
from loaders.page_size import PageSize
from loaders.schema import GraphSchema

NODES_PER_TRANSACTION = 5_000


def statements(schema: GraphSchema, present: Container[str]) -> Iterator[tuple[str, str, str]]:
    """(name, delete, merge) for every link of every model, in the order in which they run.

    `present`: the labels that nodes have. A link without nodes at either end has nothing to merge or delete.
    """
    for model in schema.models:
        for by_id in model.id_links:
            target = schema.target(by_id)
            if model.label in present and target.label in present:
                yield f"{model.label} {by_id.type} {by_id.label}", *cypher.id_link(model, by_id, target)
    for through in (False, True):
        for model in schema.models:
            for by_value in model.links:
                target = schema.target(by_value)
                if bool(by_value.through) is through and model.label in present and target.label in present:
                    yield f"{model.label} {by_value.type} {by_value.label}", *cypher.link(model, by_value, target)


def write(graph: Graph, schema: GraphSchema) -> None:
    """Update the links to the properties of the nodes. Repeating it changes nothing."""
    for _, update in parts(graph, schema):
        update()


def parts(graph: Graph, schema: GraphSchema) -> Iterator[tuple[str, Callable[[], None]]]:
    """The same, link by link, each with its name: one that fails doesn't stop the others."""
    for name, delete, merge in statements(schema, graph.labels()):
        yield name, partial(_update, graph, delete, merge)


def _update(graph: Graph, delete: str, merge: str) -> None:
    delete_edges(graph, delete)
    _merge(graph, merge)


def _merge(graph: Graph, query: str) -> None:
    after: str | None = ""
    size = PageSize(NODES_PER_TRANSACTION)

    def page(limit: int) -> str | None:
        def work(tx: neo4j.ManagedTransaction) -> str | None:
            last: str | None = tx.run(query, after=after, limit=limit).single(strict=True)["last"]
            return last

        return graph.write(work)

    while after is not None:
        after = size.fit(page)
