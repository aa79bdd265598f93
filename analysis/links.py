"""Writes links at the barrier: declared relationships between nodes that exist by then.

First links by id, then by value, then through a record: a link by value may be limited to the ends of a link by id, and
a record's own link may be by value.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import neo4j
from neo4j.exceptions import DriverError, Neo4jError

from analysis.edges import delete_edges
from loaders import cypher
from loaders.graph import Graph
from loaders.model import IdLink, Link, NodeModel
from loaders.page_size import PageSize
from loaders.schema import GraphSchema

NODES_PER_TRANSACTION = 5_000
# Most links concern few nodes: these share a transaction. A link of more nodes, or that deletes more, has its own.
LINKS_TOGETHER: Final = 25
ELEMENTS_TOGETHER: Final = 400  # of each link


@dataclass(frozen=True, slots=True)
class LinkStatements:
    """What brings a link up to date. `delete`: None where no relationship has its type yet."""

    name: str
    delete: str | None
    merge: str


def statements(schema: GraphSchema, labels: Container[str], types: Container[str]) -> Iterator[LinkStatements]:
    """Of every link of every model, in the order in which they run.

    labels  that nodes have: a link without nodes at either end has nothing to merge or delete
    types   that relationships have
    """
    for model, relationship in _in_order(schema):
        target = schema.target(relationship)
        if model.label in labels and target.label in labels:
            if isinstance(relationship, IdLink):
                delete, merge = cypher.id_link(model, relationship, target)
            else:
                delete, merge = cypher.link(model, relationship, target)
            name = f"{model.label} {relationship.type} {relationship.label}"
            yield LinkStatements(name, delete if relationship.type in types else None, merge)


def _in_order(schema: GraphSchema) -> Iterator[tuple[NodeModel, IdLink | Link]]:
    for model in schema.models:
        for by_id in model.id_links:
            yield model, by_id
    for through in (False, True):
        for model in schema.models:
            for by_value in model.links:
                if bool(by_value.through) is through:
                    yield model, by_value


def write(graph: Graph, schema: GraphSchema) -> None:
    """Update the links to the properties of the nodes. Repeating it changes nothing."""
    for _, update in parts(graph, schema):
        update()


def parts(graph: Graph, schema: GraphSchema) -> Iterator[tuple[str, Callable[[], None]]]:
    """The same, part by part, each with its name: one that fails doesn't stop the others.

    Always in the same order. Links whose transaction failed are written one by one, so that the failure has a name.
    """
    waiting = list(statements(schema, graph.labels(), graph.relationship_types()))
    while waiting:
        together = _Together(graph, waiting[:LINKS_TOGETHER])
        yield f"{waiting[0].name}, and what follows", together.write
        del waiting[: together.done]
        alone = len(together.links) if together.failed else int(together.done < len(together.links))
        for link in waiting[:alone]:
            yield link.name, partial(update, graph, link)
        del waiting[:alone]


@dataclass(slots=True)
class _Together:
    """Links in one transaction.

    done    how many of them, from the first on, are up to date
    failed  the transaction failed, with all of them
    """

    graph: Graph
    links: Sequence[LinkStatements]
    done: int = 0
    failed: bool = False

    def write(self) -> None:
        try:
            self.done = self.graph.write(self._work)
        except (DriverError, Neo4jError):
            self.failed = True

    def _work(self, tx: neo4j.ManagedTransaction) -> int:
        for number, link in enumerate(self.links):
            limit = ELEMENTS_TOGETHER
            if link.delete and tx.run(link.delete, limit=limit).single(strict=True)["deleted"] == limit:
                return number
            if tx.run(link.merge, after="", limit=limit).single(strict=True)["last"] is not None:
                return number
        return len(self.links)


def update(graph: Graph, link: LinkStatements) -> None:
    """Bring one link up to date, in transactions of its own."""
    if link.delete:
        delete_edges(graph, link.delete)
    _merge(graph, link.merge)


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
