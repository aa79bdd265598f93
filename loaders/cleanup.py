"""Deletion: only for complete scopes, only after their batches are committed, and bounded per transaction."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from loaders import cypher
from loaders.graph import Graph
from loaders.model import NodeModel
from loaders.schema import GraphSchema
from loaders.scope import Scope

if TYPE_CHECKING:
    import neo4j

MAX_PER_TRANSACTION = 10_000  # relationships or nodes: the edges of a hub are deleted in pages, before the hub


class Cleanup:
    """Deletes what complete scopes no longer hold, many scopes of one type per transaction."""

    def __init__(self, graph: Graph, schema: GraphSchema, *, limit: int = MAX_PER_TRANSACTION) -> None:
        self._graph = graph
        self._schema = schema
        self._limit = limit

    def clean(self, scopes: Sequence[Scope], tag: int, *, mark: str = "") -> int:
        """Returns how many nodes and relationships were deleted.

        scopes   complete in the run of `tag`, with all batches committed
        mark     of nodes and edges that this round of the run could not read, and which are kept
        """
        deleted = 0
        for type_name in sorted({scope.type for scope in scopes}):
            ids = [scope.id for scope in scopes if scope.type == type_name]
            owned = tuple(m for m in self._schema.models_of_type.get(type_name, ()) if not m.shared)
            deleted += self._run(_stale_statements(owned), {"scopes": ids, "tag": tag, "mark": mark})
            self._remember_held(ids, owned)
        return deleted

    def delete_orphans(self) -> int:
        """Delete stubs and shared nodes that no scope has an edge to any more. Only at the barrier."""
        present = self._graph.labels()
        identities = [model for model in self._schema.identities if model.label in present]
        statements = [statement for model in identities for statement in cypher.delete_orphans(model)]
        return self._run(statements, {})

    def _run(self, statements: Sequence[str], parameters: dict[str, Any]) -> int:
        """Each statement until it has nothing left, then the next, in as few transactions as the limit allows."""
        position = total = 0
        while position < len(statements):

            def work(tx: neo4j.ManagedTransaction, first: int = position) -> tuple[int, int]:
                deleted = 0
                for at in range(first, len(statements)):
                    query = statements[at]
                    count = int(tx.run(query, parameters, limit=self._limit).single(strict=True)["deleted"])
                    deleted += count
                    if count == self._limit:
                        return at, deleted
                return len(statements), deleted

            position, deleted = self._graph.write(work)
            total += deleted
        return total

    def _remember_held(self, ids: Sequence[str], owned: Sequence[NodeModel]) -> None:
        """A scope that holds nothing now needs no cleanup in the next run, unless that run loads something."""
        if not owned:
            return
        holds = " OR ".join(
            f"EXISTS {{ (:{cypher.quoted(model.identity.label)} {{_scope: s.id}}) }}" for model in owned
        )
        query = f"UNWIND $scopes AS id MATCH (s:SyncScope {{id: id}}) SET s.held = {holds}"
        self._graph.write(lambda tx: tx.run(query, scopes=list(ids)).consume())


@cache
def _stale_statements(owned: tuple[NodeModel, ...]) -> tuple[str, ...]:
    edges = [statement for model in owned for statement in cypher.stale_relationships(model)]
    links = [cypher.stale_node_links(model) for model in owned]
    nodes = [statement for model in owned for statement in cypher.stale_nodes(model)]
    return (*edges, *links, *nodes)
