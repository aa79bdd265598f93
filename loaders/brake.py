"""The brake on deletion: a scope that suddenly lists far less than before deletes nothing until a second run agrees."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from loaders import cypher
from loaders.model import NodeModel
from loaders.reason import Reason

if TYPE_CHECKING:
    import neo4j

    from loaders.graph import Graph

CONFIRMED: Final = "confirm_deletions"  # in a run's configuration: nothing is held back

_REMEMBER: Final = (
    "UNWIND $scopes AS scope MERGE (s:SyncScope {id: scope.id}) "
    "ON CREATE SET s += scope, s.firstseen = timestamp() SET s.held_back_tag = $tag"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Brake:
    """When it acts.

    rows   scopes that would lose fewer nodes than this are never held back
    share  of a scope's nodes that may go at once
    """

    rows: int
    share: float

    def holds(self, held: int, gone: int) -> bool:
        return bool(gone) and gone >= self.rows and (gone == held or gone > self.share * held)


@dataclass(slots=True)
class Count:
    """Nodes of one scope.

    held    in the graph
    gone    of these, not listed by this run
    agreed  of these, not listed either by the run that was the first to hold them back
    since   that run's tag; 0 if there was none
    """

    held: int = 0
    gone: int = 0
    agreed: int = 0
    since: int = 0


@dataclass(frozen=True, slots=True)
class Counts:
    """What some scopes hold of some models.

    by_scope  only scopes that hold something
    held      models that one of them holds nodes of
    gone      models that one of them holds nodes of that this run didn't list
    """

    by_scope: Mapping[str, Count]
    held: frozenset[NodeModel]
    gone: frozenset[NodeModel]


def counts(graph: Graph, owned: Sequence[NodeModel], parameters: dict[str, Any]) -> Counts:
    """Of these models. `parameters`: those of the cleanup."""

    def work(tx: neo4j.ManagedTransaction) -> list[tuple[NodeModel, dict[str, Any]]]:
        return [(model, row) for model in owned for row in tx.run(cypher.count_stale(model), parameters).data()]

    found: dict[str, Count] = defaultdict(Count)
    rows = graph.write(work)
    for _, row in rows:
        count = found[row["scope"]]
        count.held += row["held"]
        count.gone += row["gone"]
        count.agreed += row["agreed"]
        count.since = row["since"]
    held = frozenset(model for model, _ in rows)
    return Counts(found, held, frozenset(model for model, row in rows if row["gone"]))


def remember(graph: Graph, scopes: Iterable[dict[str, Any]], tag: int) -> None:
    """That this run held them back. `scopes`: their places."""
    graph.write(lambda tx: tx.run(_REMEMBER, scopes=list(scopes), tag=tag).consume())


def reason(count: Count) -> Reason:
    kept = count.gone - count.agreed
    left = count.held - count.agreed
    return Reason(
        detail=f"{kept:,} of {left:,} nodes are no longer listed, and stay until the next complete run agrees; "
        "--confirm-deletions deletes them now"
    )
