"""What the writer does for a run: commits waiting batches, reports them to the ledger, cleans complete scopes."""

from __future__ import annotations

import logging
import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import cast

import neo4j
from neo4j.exceptions import ClientError, DatabaseError, TransientError

from loaders import coverage, cypher
from loaders.batch import BatchId, KeptRow, Row, decode
from loaders.batch import kept as kept_row
from loaders.cleanup import Cleanup
from loaders.graph import Graph
from loaders.ledger import Event, Ledger, Taken
from loaders.model import NodeModel
from loaders.schema import GraphSchema
from loaders.scope import Scope

log = logging.getLogger(__name__)

ROWS_PER_TRANSACTION = 2_000  # measured: larger transactions are slower
MAX_BATCHES, MAX_BYTES = 200, 4_000_000  # of the same model, compressed, per call of `take`
SCOPES_PER_CLEANUP = 500

_HELD = (
    "UNWIND $scopes AS scope MERGE (s:SyncScope {id: scope.id}) "
    "ON CREATE SET s += scope, s.firstseen = timestamp(), s.lastupdated = $tag SET s.held = true"
)


class Loader:
    """Commits batches of any run to one graph, through the fenced `write` of `loaders.writer.Writer`."""

    def __init__(self, graph: Graph, schema: GraphSchema) -> None:
        self._graph = graph
        self._schema = schema
        self._cleanup = Cleanup(graph, schema)

    def drain(
        self,
        ledger: Ledger,
        tag: int,
        *,
        seconds: float = math.inf,
        stopping: Callable[[], bool] = lambda: False,
    ) -> Iterator[Event]:
        """Load and clean until nothing waits. Yields the events that the caller must publish, each at once.

        After `seconds`, and when the worker shuts down, it asks to be called again (Event.LOAD) and returns, rather
        than being killed by Celery's time limit in the middle of a batch.
        """
        end = time.monotonic() + seconds
        mark = ledger.mark(tag)
        while time.monotonic() < end and not stopping():
            taken = ledger.take(max_batches=MAX_BATCHES, max_bytes=MAX_BYTES)
            if taken:
                loaded = self._load(taken, ledger, tag, mark)
                yield from ledger.committed((batch for batch, _ in taken.batches), loaded=loaded)
                continue
            page = ledger.cleanups(SCOPES_PER_CLEANUP)
            if not page:
                return
            self._cleanup.clean(page, tag, mark=mark)
            yield from ledger.cleaned(page)
        yield Event.LOAD

    def _load(self, taken: Taken, ledger: Ledger, tag: int, mark: str) -> bool:
        """Whether the graph has what these batches hold."""
        kept, loaded = self._schema.by_kept_name.get(taken.model), self._schema.by_wire_name.get(taken.model)
        model = kept or loaded
        if model is None:
            for scope in {BatchId.parse(batch).scope for batch, _ in taken.batches}:
                ledger.bad_rows(
                    scope, f"this loader doesn't know the model {taken.model}: the workers run different versions"
                )
            return False
        rows = [row for _, payload in taken.batches for row in decode(payload)]
        # Of several rows of one node in a statement, the last row's item stays: the lowest, as across statements.
        rows.sort(key=lambda row: row.get("i") or 0, reverse=True)
        for start in range(0, len(rows), ROWS_PER_TRANSACTION):
            page = rows[start : start + ROWS_PER_TRANSACTION]
            if kept:
                self._keep(model, cast(list[KeptRow], page), mark)
                continue
            for row, reason in self._commit(model, page, tag):
                log.warning("rejected: %s of %s: %s", model.label, row["s"], reason)
                if not model.shared:
                    self._keep(model, [kept_row(Scope.parse(row["s"]), key=row["k"])], mark)
                ledger.rejected(Scope.parse(row["s"]), f"{model.label}: {reason}")
        return True

    def _keep(self, model: NodeModel, rows: Sequence[KeptRow], mark: str) -> None:
        """Mark what this round could not read, so that its cleanup keeps it."""
        by_item, by_key = self._keepers[model]
        keys = [row for row in rows if row["k"] is not None]
        items = defaultdict[str, list[int]](list)
        for row in rows:
            if row["k"] is None:
                items[row["s"]].append(row["i"] or 0)
        of_items = [{"s": scope, "items": numbers} for scope, numbers in items.items()]

        def work(tx: neo4j.ManagedTransaction) -> None:
            for query, parameters in ((by_item, of_items), (by_key, keys)):
                if parameters:
                    tx.run(query, rows=parameters, mark=mark).consume()

        self._graph.write(work)

    def _commit(self, model: NodeModel, rows: Sequence[Row], tag: int) -> list[tuple[Row, str]]:
        """Commit rows of one model: halved on memory errors, split down to single rows on bad data.

        Returns the rows that the graph refused, with the reason.
        """
        load, detach = self._statements[model]
        scopes = [coverage.place(Scope.parse(scope)) for scope in sorted({row["s"] for row in rows})]

        def work(tx: neo4j.ManagedTransaction) -> None:
            if not model.shared:
                tx.run(detach, rows=list(rows)).consume()
                tx.run(_HELD, scopes=scopes, tag=tag).consume()
            tx.run(load, rows=list(rows), tag=tag).consume()

        try:
            self._graph.write(work)
        except (ClientError, DatabaseError, TransientError) as error:
            memory = "Memory" in (error.code or "")
            if not memory and not _is_caused_by_data(error):
                raise
            if len(rows) == 1:
                return [(rows[0], (error.message or str(error)).splitlines()[0])]
            half = len(rows) // 2
            return self._commit(model, rows[:half], tag) + self._commit(model, rows[half:], tag)
        return []

    @cached_property
    def _keepers(self) -> dict[NodeModel, tuple[str, str]]:
        return {model: cypher.keep(model) for model in self._statements}

    @cached_property
    def _statements(self) -> dict[NodeModel, tuple[str, str]]:
        models = {m for models in self._schema.models_of_type.values() for m in models}
        return {model: (cypher.load(model, self._schema), cypher.detach_from_previous_scope(model)) for model in models}


def _is_caused_by_data(error: Exception) -> bool:
    """A type that a property can't hold, a null key, a value too long for an index: not a condition of the server."""
    code = getattr(error, "code", None) or ""
    return code.startswith(("Neo.ClientError.Statement.", "Neo.ClientError.Schema.ConstraintValidation")) or code in (
        "Neo.DatabaseError.Statement.ExecutionFailed",
        "Neo.DatabaseError.Transaction.TransactionCommitFailed",
    )
