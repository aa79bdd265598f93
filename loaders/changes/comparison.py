"""What the rows of a transaction are about to change, and what they have changed of relationships."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

from loaders import cypher
from loaders.batch import Row
from loaders.changes.change import Cause, Change, Kind, Relationship
from loaders.graph import BulkRows
from loaders.model import UNOWNED, NodeModel
from loaders.schema import GraphSchema

if TYPE_CHECKING:
    import neo4j

_FIRST_SEEN: Final = (
    "UNWIND $counts AS count MATCH (s:SyncScope {id: count.scope}) "
    "SET s.first_seen = count.nodes + CASE s.first_seen_tag WHEN $tag THEN s.first_seen ELSE 0 END, "
    "s.first_seen_tag = $tag"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statements:
    """The Cypher of one model. `relationships`: None where its rows write none that are recorded."""

    compare: str
    relationships: str | None

    @classmethod
    def of(cls, model: NodeModel, schema: GraphSchema) -> Self:
        return cls(compare=cypher.compare(model), relationships=cypher.new_relationships(model, schema))


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Rows of one model beside the graph, before they are loaded.

    new    keys of nodes that the graph lacks, or that their scope doesn't own yet
    moved  the rows of nodes that another scope owns
    first  scopes that were never seen completely: what they hold is not news
    """

    model: NodeModel
    rows: Sequence[Row]
    new: dict[tuple[Any, str], str | None]
    changed: Sequence[Change]
    first: Set[str]

    @classmethod
    def of(
        cls,
        tx: neo4j.ManagedTransaction,
        model: NodeModel,
        statements: Statements,
        rows: Sequence[Row],
        first: Set[str],
    ) -> Self:
        names = model.watched
        wanted = BulkRows({"k": row["k"], "s": row["s"], "w": [row["p"].get(name) for name in names]} for row in rows)
        new = dict[tuple[Any, str], str | None]()
        held = dict[tuple[Any, str], list[Any]]()
        for key, scope, owner, values in tx.run(statements.compare, rows=wanted).values():
            if owner == scope:
                held[key, scope] = values
            else:
                new[key, scope] = None if owner == UNOWNED else owner
        changed = [change for change in _changed(model, rows, held) if change.scope not in first] if held else []
        return cls(model=model, rows=rows, new=new, changed=changed, first=first)

    @property
    def moved(self) -> list[dict[str, Any]]:
        return [{"k": key, "s": scope} for (key, scope), owner in self.new.items() if owner is not None]

    def changes(self) -> Iterator[Change]:
        """Of nodes and their properties."""
        yield from self.changed
        for (key, scope), owner in self.new.items():
            cause = None if owner is None else Cause.MOVED
            if owner is not None:
                yield self._node(Kind.GONE, owner, key, cause, scope)
            if scope not in self.first:
                yield self._node(Kind.APPEARED, scope, key, cause, owner)

    def _node(self, kind: Kind, scope: str, key: Any, cause: Cause | None, detail: str | None) -> Change:
        return Change(kind=kind, scope=scope, label=self.model.label, key=key, cause=cause, detail=detail)

    def new_relationships(
        self, tx: neo4j.ManagedTransaction, statements: Statements, *, tag: int, since_ms: int, created: int
    ) -> Iterator[Change]:
        """Of nodes that were there before, once the rows are loaded: those of a new node come with it.

        created  relationships that the rows have created: mostly just those of new nodes
        """
        if not created or statements.relationships is None:
            return
        known = {row["k"]: row["s"] for row in self.rows if (row["k"], row["s"]) not in self.new}
        known = {key: scope for key, scope in known.items() if scope not in self.first}
        if not known or created == self._of_new_nodes():
            return
        parameters = {"keys": list(known), "since": since_ms, "tag": tag}
        for key, at, other in tx.run(statements.relationships, parameters).values():
            yield Change(
                kind=Kind.APPEARED,
                scope=known[key],
                label=self.model.label,
                key=key,
                relationship=Relationship.of(self.model.references[at], other),
            )

    def _of_new_nodes(self) -> int:
        """How many relationships the new nodes have."""
        return len(
            {
                (row["k"], at, key)
                for row in self.rows
                if (row["k"], row["s"]) in self.new
                for at, keys in enumerate(row["r"])
                for key in keys
            }
        )

    def count_first_seen(self, tx: neo4j.ManagedTransaction, tag: int) -> None:
        """Of a scope that was never seen completely, only the number of its nodes is recorded, with the scope."""
        counts = Counter(scope for _, scope in self.new if scope in self.first)
        if counts:
            rows = [{"scope": scope, "nodes": nodes} for scope, nodes in sorted(counts.items())]
            tx.run(_FIRST_SEEN, counts=rows, tag=tag).consume()


def _changed(model: NodeModel, rows: Sequence[Row], held: dict[tuple[Any, str], list[Any]]) -> Iterator[Change]:
    """Of several rows of one node, the last one counts, as it does in the graph."""
    last = {(row["k"], row["s"]): row for row in rows if (row["k"], row["s"]) in held}
    for (key, scope), row in last.items():
        for name, before in zip(model.watched, held[key, scope], strict=True):
            after = row["p"].get(name)
            if name in row["p"] and before != after:
                yield Change(
                    kind=Kind.CHANGED,
                    scope=scope,
                    label=model.label,
                    key=key,
                    property=name,
                    before=before,
                    after=after,
                )
