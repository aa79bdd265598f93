"""Writes and deletes relationships that an evaluation yields, in transactions of bounded size."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from loaders.graph import Graph, Parameters
from loaders.pages import pages

EDGES_PER_TRANSACTION: Final = 5_000
MAX_DELETED_PER_TRANSACTION: Final = 10_000


def write_edges(graph: Graph, query: str, edges: Iterable[Mapping[str, object]], tag: int) -> None:
    """`query`: writes `$edges`, with `$tag`."""
    for page in pages(edges, EDGES_PER_TRANSACTION):
        graph.write(lambda tx, page=page: tx.run(query, edges=page, tag=tag).consume())  # type: ignore[misc]


def delete_edges(graph: Graph, query: str, parameters: Parameters | None = None) -> None:
    """`query`: deletes up to `$limit` relationships and returns how many."""
    graph.write_until_done(query, parameters, limit=MAX_DELETED_PER_TRANSACTION)
