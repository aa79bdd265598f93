"""Relationships of the evaluation in the graph: written and deleted in transactions of a bounded size."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Final, TypeVar

import neo4j

from loaders.graph import Graph, Parameters

T = TypeVar("T")

EDGES_PER_TRANSACTION: Final = 5_000
MAX_DELETED_PER_TRANSACTION: Final = 10_000


def pages(items: Iterable[T], size: int) -> Iterator[list[T]]:
    left = iter(items)
    while page := list(itertools.islice(left, size)):
        yield page


def delete(graph: Graph, query: str, parameters: Parameters) -> None:
    """Repeat a query that deletes up to `$limit` and returns how many as `deleted`, until nothing is left."""

    def work(tx: neo4j.ManagedTransaction) -> int:
        return int(tx.run(query, dict(parameters), limit=MAX_DELETED_PER_TRANSACTION).single(strict=True)["deleted"])

    while graph.write(work) == MAX_DELETED_PER_TRANSACTION:
        pass
