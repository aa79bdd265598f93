"""Writes and deletes relationships that an evaluation yields, in transactions of bounded size."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from loaders.graph import BulkRows, Graph, Parameters
from loaders.page_size import PageSize, in_pages
from loaders.pages import pages

EDGES_PER_TRANSACTION: Final = 5_000
MAX_DELETED_PER_TRANSACTION: Final = 10_000


def write_edges(graph: Graph, query: str, edges: Iterable[Mapping[str, object]], tag: int) -> None:
    """`query`: writes `$edges`, with `$tag`."""
    size = PageSize(EDGES_PER_TRANSACTION)

    def write(page: Sequence[Mapping[str, object]]) -> None:
        graph.write(lambda tx: tx.run(query, edges=BulkRows(page), tag=tag).consume())

    for page in pages(edges, EDGES_PER_TRANSACTION):
        in_pages(page, size, write)


def delete_edges(graph: Graph, query: str, parameters: Parameters | None = None) -> None:
    """`query`: deletes up to `$limit` relationships and returns how many."""
    graph.write_until_done(query, parameters, limit=MAX_DELETED_PER_TRANSACTION)
