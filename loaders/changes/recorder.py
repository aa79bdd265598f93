"""Records the changes of a run, in bounded space: what there is no room for is counted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, LiteralString

from loaders.changes.change import Cause, Change, Kind, Relationship
from loaders.model import NodeModel

if TYPE_CHECKING:
    import neo4j

MAX_OF_KIND: Final = 5_000  # changes of a kind, per run: ten thousand new instances hide no bucket that became public

_LOG: Final[LiteralString] = (
    "MERGE (l:SyncChangeLog {id: $run}) ON CREATE SET l.tag = $tag, l.at = timestamp() RETURN l{.*} AS counts"
)
_COUNT: Final[LiteralString] = "MATCH (l:SyncChangeLog {id: $run}) SET l += $counts"
_RECORD: Final[LiteralString] = (
    "UNWIND $changes AS change MERGE (c:SyncChange {id: change.id}) "
    "ON CREATE SET c = change, c.at = timestamp() "
    "ON MATCH SET c.after = change.after, c.cause = change.cause, c.detail = change.detail"
)


def dropped(kind: Kind) -> str:
    """The property that counts what there was no room for."""
    return f"{kind}_dropped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorder:
    """The changes of one run. `reasons`: of scopes whose nodes go because they are retired."""

    run: str
    tag: int
    reasons: Mapping[str, str] = field(default_factory=dict)

    def of_retired(self, reasons: Mapping[str, str]) -> Recorder:
        return replace(self, reasons=reasons)

    def record_gone(self, tx: neo4j.ManagedTransaction, model: NodeModel, records: Iterable[Sequence[Any]]) -> None:
        """What a cleanup deleted: scope and key; of a relationship its reference and the key of the other end, too."""
        self.record(tx, [self._gone(model, *record) for record in records])

    def _gone(self, model: NodeModel, scope: str, key: Any, reference: int | None = None, other: Any = None) -> Change:
        reason = self.reasons.get(scope)
        return Change(
            kind=Kind.GONE,
            scope=scope,
            label=model.label,
            key=key,
            cause=Cause.DELETED if reason is None else Cause.RETIRED,
            detail=reason,
            relationship=None if reference is None else Relationship.of(model.references[reference], other),
        )

    def record(self, tx: neo4j.ManagedTransaction, changes: Sequence[Change]) -> None:
        """In the transaction that makes these changes."""
        if not changes:
            return
        counted = tx.run(_LOG, run=self.run, tag=self.tag).single(strict=True)["counts"]
        by_kind = defaultdict[Kind, list[Change]](list)
        for change in changes:
            by_kind[change.kind].append(change)
        kept, counts = list[Change](), dict[str, int]()
        for kind, of_kind in by_kind.items():
            before = counted.get(kind, 0)
            fitting = of_kind[: max(MAX_OF_KIND - before, 0)]
            kept += fitting
            counts[kind] = before + len(fitting)
            counts[dropped(kind)] = counted.get(dropped(kind), 0) + len(of_kind) - len(fitting)
        if kept:
            tx.run(_RECORD, changes=[change.properties(self.run, self.tag) for change in kept]).consume()
        tx.run(_COUNT, run=self.run, counts=counts).consume()
