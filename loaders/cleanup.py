"""Deletion: only for complete scopes, only after their batches are committed, and bounded per transaction."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from loaders import brake as brakes
from loaders import coverage, cypher
from loaders.brake import Brake, Count, Counts
from loaders.causes import Cause, cause_of, text_of
from loaders.graph import Graph
from loaders.model import NodeModel
from loaders.page_size import PageSize
from loaders.reason import Reason
from loaders.schema import GraphSchema
from loaders.scope import Scope
from loaders.writer import LostWriter, OutdatedRun

if TYPE_CHECKING:
    import neo4j

log = logging.getLogger(__name__)

MAX_PER_TRANSACTION = 10_000  # relationships or nodes: the edges of a hub are deleted in pages, before the hub
MAX_TRIES: Final = 3  # of one scope's cleanup, where nobody understands why it fails
SECONDS_BEFORE_RETRY: Final = 1

_REMEMBER: Final = (
    "UNWIND $scopes AS id MATCH (s:SyncScope {id: id}) SET s.held = id IN $held, "
    "s.held_back_tag = CASE WHEN id IN $held_back THEN s.held_back_tag END"
)
_NEW: Final = (
    "UNWIND $scopes AS id MATCH (s:SyncScope {id: id}) WHERE s.held AND s.held_since_tag = $tag RETURN s.id AS id"
)


@dataclass(slots=True)
class Cleaned:
    """What a cleanup came to.

    deleted    nodes and relationships
    cleaned    scopes that hold no more than they list
    held_back  scopes of which the brake kept all or some
    failed     scopes whose cleanup failed, and which hold what they held, or some of it
    holds      whether a scope that was looked through holds something now, by its id
    """

    deleted: int = 0
    cleaned: list[Scope] = field(default_factory=list)
    held_back: dict[Scope, Reason] = field(default_factory=dict)
    failed: dict[Scope, Reason] = field(default_factory=dict)
    holds: dict[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    """Scopes of one type that are cleaned together."""

    scopes: Sequence[Scope]
    owned: tuple[NodeModel, ...]
    tag: int
    mark: str
    brake: Brake | None

    @property
    def ids(self) -> list[str]:
        return [scope.id for scope in self.scopes]

    def parameters(self, scopes: Sequence[str], tag: int) -> dict[str, Any]:
        return {"scopes": list(scopes), "tag": tag, "mark": self.mark}


class Cleanup:
    """Deletes what complete scopes no longer hold, many scopes of one type per transaction."""

    def __init__(self, graph: Graph, schema: GraphSchema, *, limit: int = MAX_PER_TRANSACTION) -> None:
        self._graph = graph
        self._schema = schema
        self._limit = limit

    def clean(self, scopes: Sequence[Scope], tag: int, *, mark: str = "", brake: Brake | None = None) -> Cleaned:
        """Delete what was last seen before `tag`.

        scopes   complete in the run of `tag`, with all batches committed
        mark     of nodes and edges that this round of the run could not read, and which are kept
        brake    what is held back; without one, nothing is
        """
        result = Cleaned()
        new = self._new(scopes, tag)
        by_type = defaultdict[str, list[Scope]](list)
        for scope in scopes:
            by_type[scope.type].append(scope)
        for type_name, of_type in sorted(by_type.items()):
            owned = tuple(m for m in self._schema.models_of_type.get(type_name, ()) if not m.shared)
            older = [scope for scope in of_type if owned and scope.id not in new]
            result.cleaned += [scope for scope in of_type if not owned or scope.id in new]
            if older:
                self._clean_page(_Page(scopes=older, owned=owned, tag=tag, mark=mark, brake=brake), result)
        self._remember(result)
        return result

    def delete_orphans(self) -> int:
        """Delete stubs and shared nodes that no scope has an edge to any more. Only at the barrier."""
        present = self._graph.labels()
        identities = [model for model in self._schema.identities if model.label in present]
        orphaned = [model for model in identities if self._graph.rows(cypher.has_orphans(model))]
        statements = [statement for model in orphaned for statement in cypher.delete_orphans(model)]
        return self._run(statements, {})

    def _clean_page(self, page: _Page, result: Cleaned, tries: int = MAX_TRIES) -> None:
        """What fails is halved down to the scope that makes it fail."""
        try:
            done = self._looked_through(page)
        except (LostWriter, OutdatedRun):
            raise
        except Exception as error:  # noqa: BLE001  # whatever it is, it is a fault of these scopes only
            self._graph.write(lambda _: None)  # raises if the graph can't be written: then it isn't theirs
            half = len(page.scopes) // 2
            if half:
                self._clean_page(replace(page, scopes=page.scopes[:half]), result)
                self._clean_page(replace(page, scopes=page.scopes[half:]), result)
            elif tries > 1 and cause_of(error) is Cause.OTHER:
                time.sleep(SECONDS_BEFORE_RETRY)
                self._clean_page(page, result, tries - 1)
            else:
                result.failed[page.scopes[0]] = Reason(failure="cleanup", detail=text_of(error))
            return
        result.deleted += done.deleted
        result.cleaned += done.cleaned
        result.held_back |= done.held_back
        result.holds |= done.holds

    def _looked_through(self, page: _Page) -> Cleaned:
        """Scopes that held something before this run."""
        result = Cleaned()
        counts = brakes.counts(self._graph, page.owned, page.parameters(page.ids, page.tag))
        held_back = self._held_back(page, counts)
        rest = [scope for scope in page.scopes if scope.id not in held_back]
        if rest:
            result.deleted = self._delete(page, counts, [scope.id for scope in rest], page.tag)
        for scope in page.scopes:
            if count := held_back.get(scope.id):
                if count.agreed:
                    result.deleted += self._delete(page, counts, [scope.id], count.since)
                result.held_back[scope] = brakes.reason(count)
        result.cleaned = rest
        left = {scope for scope, count in counts.by_scope.items() if count.held > count.gone}
        result.holds = {scope: scope in held_back or scope in left for scope in page.ids}
        return result

    def _new(self, scopes: Sequence[Scope], tag: int) -> set[str]:
        """Scopes that hold something since this run only: there is nothing in them that it didn't see."""
        ids = [scope.id for scope in scopes]
        return {row["id"] for row in self._graph.rows(_NEW, {"scopes": ids, "tag": tag})}

    def _held_back(self, page: _Page, counts: Counts) -> dict[str, Count]:
        """Scopes that list so much less than before that a second run has to agree, and this one is the first."""
        brake = page.brake
        if brake is None:
            return {}
        held_back = {
            scope: count
            for scope, count in counts.by_scope.items()
            if brake.holds(count.held - count.agreed, count.gone - count.agreed)
        }
        if held_back:
            places = [coverage.place(scope) for scope in page.scopes if scope.id in held_back]
            brakes.remember(self._graph, places, page.tag)
        return held_back

    def _delete(self, page: _Page, counts: Counts, scopes: Sequence[str], tag: int) -> int:
        held = tuple(model for model in page.owned if model in counts.held)
        gone = tuple(model for model in page.owned if model in counts.gone)
        return self._run(_stale_statements(held, gone), page.parameters(scopes, tag))

    def _remember(self, result: Cleaned) -> None:
        """A scope that holds nothing now needs no cleanup in the next run, unless that run loads something."""
        if result.holds:
            held = [scope for scope, holds in result.holds.items() if holds]
            held_back = [scope.id for scope in result.held_back]
            parameters = {"scopes": [*result.holds], "held": held, "held_back": held_back}
            self._graph.write(lambda tx: tx.run(_REMEMBER, parameters).consume())

    def _run(self, statements: Sequence[str], parameters: dict[str, Any]) -> int:
        """Each statement until it has nothing left, then the next, in as few transactions as the limit allows."""
        position = total = 0
        size = PageSize(self._limit)

        def transaction(limit: int) -> tuple[int, int]:
            last = position + 1 if size.was_reduced else len(statements)
            return self._graph.write(_deleting(statements[:last], position, parameters, limit))

        while position < len(statements):
            position, deleted = size.fit(transaction)
            total += deleted
        return total


def _deleting(
    statements: Sequence[str], first: int, parameters: dict[str, Any], limit: int
) -> Callable[[neo4j.ManagedTransaction], tuple[int, int]]:
    """One transaction. Returns the statement that goes on, and how much was deleted."""

    def work(tx: neo4j.ManagedTransaction) -> tuple[int, int]:
        deleted = 0
        for at in range(first, len(statements)):
            count = int(tx.run(statements[at], parameters, limit=limit).single(strict=True)["deleted"])
            deleted += count
            if count == limit:
                return at, deleted
        return len(statements), deleted

    return work


@cache
def _stale_statements(held: tuple[NodeModel, ...], gone: tuple[NodeModel, ...]) -> tuple[str, ...]:
    """For these models only: Neo4j takes longer to plan a statement that finds nothing than to run it."""
    edges = [statement for model in held for statement in cypher.stale_relationships(model)]
    links = [cypher.stale_node_links(model) for model in gone]
    nodes = [statement for model in gone for statement in cypher.stale_nodes(model)]
    return (*edges, *links, *nodes)
