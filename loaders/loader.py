"""What the writer does for a run: commits waiting batches, reports them to the ledger, cleans complete scopes."""

from __future__ import annotations

import logging
import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Final, cast

import neo4j
from neo4j.exceptions import DriverError, Neo4jError

from loaders import coverage, cypher
from loaders.batch import BatchId, InvalidBatch, KeptRow, Row, decode
from loaders.batch import kept as kept_row
from loaders.brake import Brake
from loaders.cleanup import Cleanup
from loaders.graph import BulkRows, Graph
from loaders.ledger import Event, Ledger, Taken
from loaders.model import NodeModel
from loaders.rejected import RejectedRow
from loaders.schema import GraphSchema
from loaders.scope import Scope
from loaders.sending import Rejections, Sender, Unsent
from loaders.writer import LostWriter, OutdatedRun

log = logging.getLogger(__name__)

MAX_BATCHES, MAX_BYTES = 200, 4_000_000  # of the same model, compressed, per call of `take`
MAX_TRIES: Final = 5  # of a batch, before it is rejected for a reason that nobody understands
SECONDS_BEFORE_RETRY: Final = 0.2
SCOPES_PER_CLEANUP = 500

_HELD = (
    "UNWIND $scopes AS scope MERGE (s:SyncScope {id: scope.id}) "
    "ON CREATE SET s += scope, s.firstseen = timestamp(), s.lastupdated = $tag "
    "SET s.held_since_tag = CASE WHEN s.held THEN s.held_since_tag ELSE $tag END, s.held = true"
)


class Loader:
    """Commits batches of any run to one graph, through the fenced `write` of `loaders.writer.Writer`."""

    def __init__(self, graph: Graph, schema: GraphSchema, *, brake: Brake | None = None) -> None:
        """`brake`: what a cleanup holds back; without one it deletes all that is no longer listed."""
        self._graph = graph
        self._schema = schema
        self._cleanup = Cleanup(graph, schema)
        self._sender = Sender(graph)
        self._brake = brake

    def drain(
        self,
        ledger: Ledger,
        tag: int,
        *,
        confirmed: bool = False,
        seconds: float = math.inf,
        stopping: Callable[[], bool] = lambda: False,
    ) -> Iterator[Event]:
        """Load and clean until nothing waits. Yields the events that the caller must publish, each at once.

        After `seconds`, and when the worker shuts down, it asks to be called again (Event.LOAD) and returns, rather
        than being killed by Celery's time limit in the middle of a batch. `confirmed`: the user wants the deletions
        that the brake would hold back.
        """
        end = time.monotonic() + seconds
        mark = ledger.mark(tag)
        brake = None if confirmed else self._brake
        while time.monotonic() < end and not stopping():
            taken = ledger.take(max_batches=MAX_BATCHES, max_bytes=MAX_BYTES)
            if taken:
                failed = self._loaded(taken, ledger, tag, mark)
                if failed is not None:
                    yield from ledger.committed(taken.names, failed=failed)
                continue
            page = ledger.cleanups(max_scopes=SCOPES_PER_CLEANUP)
            if page:
                yield from self._clean(page, ledger, tag, mark, brake)
            elif ledger.rest():
                return
        yield Event.LOAD

    def _clean(
        self, page: Sequence[Scope], ledger: Ledger, tag: int, mark: str, brake: Brake | None
    ) -> Iterator[Event]:
        result = self._cleanup.clean(page, tag, mark=mark, brake=brake)
        for scope, reason in result.held_back.items():
            log.warning("%s: held back: %s", scope.shown, reason)
            yield from ledger.held_back(scope, reason)
        for scope, reason in result.failed.items():
            log.error("%s: not cleaned: %s", scope.shown, reason)
            yield from ledger.not_cleaned(scope, reason)
        if result.cleaned:
            yield from ledger.cleaned(result.cleaned)

    def _loaded(self, taken: Taken, ledger: Ledger, tag: int, mark: str) -> set[Scope] | None:
        """Scopes of which the graph lacks something of these batches; None: try again, after those of other models."""
        try:
            return self._load(taken, ledger, tag, mark)
        except Unsent as error:
            log.warning("%s: %d batches not sent: %s", taken.model, len(taken.batches), error)
            time.sleep(SECONDS_BEFORE_RETRY * taken.tries)
            return None
        except (LostWriter, OutdatedRun, DriverError, Neo4jError):
            ledger.excuse(taken.names)
            raise

    def _load(self, taken: Taken, ledger: Ledger, tag: int, mark: str) -> set[Scope]:
        """The scopes that failed, because the graph lacks rows of theirs. Raises Unsent."""
        kept, loaded = self._schema.by_kept_name.get(taken.model), self._schema.by_wire_name.get(taken.model)
        model = kept or loaded
        if model is None:
            why = f"this loader doesn't know the model {taken.model}: the workers run different versions"
            return self._set_aside(taken, ledger, why)
        if taken.tries > MAX_TRIES:
            why = f"{taken.model}: the loader ended {MAX_TRIES} times with this batch"
            return self._set_aside(taken, ledger, why)
        rows, failed = _rows(taken, ledger)
        alone, last_try = len(taken.batches) == 1, taken.tries == MAX_TRIES
        if kept:
            kept_rows = cast(list[KeptRow], rows)
            return failed | self._keep(taken.model, kept, kept_rows, ledger, mark, alone=alone, last_try=last_try)
        # Of several rows of one node in a statement, the last row's item stays: the lowest, as across statements.
        rows.sort(key=lambda row: row.get("i") or 0, reverse=True)
        rejected = self._sender.send(
            taken.model, rows, lambda page: self._commit(model, page, tag), alone=alone, last_try=last_try
        )
        return failed | self._reject(taken.model, model, rejected, ledger, mark)

    def _reject(self, name: str, model: NodeModel, rejected: Rejections[Row], ledger: Ledger, mark: str) -> set[Scope]:
        """What the graph refused stays as it was, and is kept for `chartfleet rejected`. Returns as `_keep` does."""
        if not rejected:
            return set()
        failed = set[Scope]()
        log.warning(
            "%d rows rejected, the first: %s of %s: %s", len(rejected), name, rejected[0][0]["s"], rejected[0][1]
        )
        if not model.shared:
            kept = [kept_row(Scope.parse(row["s"]), key=row["k"]) for row, _ in rejected]
            failed = self._keep(f"rejected {name}", model, kept, ledger, mark, alone=True, last_try=True)
        for row, reason in rejected:
            ledger.reject(RejectedRow.of(name, row, reason))
        return failed

    def _set_aside(self, taken: Taken, ledger: Ledger, why: str) -> set[Scope]:
        """Nothing of these batches is loaded: their scopes fail, and delete nothing."""
        scopes = {scope for scope in map(_scope_of, taken.names) if scope is not None}
        for scope in scopes:
            log.error("%s: %s", scope.shown, why)
            ledger.bad_rows(scope, why)
        return scopes

    def _keep(
        self,
        name: str,
        model: NodeModel,
        rows: Sequence[KeptRow],
        ledger: Ledger,
        mark: str,
        *,
        alone: bool,
        last_try: bool,
    ) -> set[Scope]:
        """Mark what this round could not read, so that its cleanup keeps it.

        Returns the scopes in which that failed: nothing of them is cleaned.
        """
        failed = self._sender.send(
            name, rows, lambda page: self._mark(model, page, mark), alone=alone, last_try=last_try
        )
        reasons = {Scope.parse(row["s"]): reason for row, reason in failed}
        for scope, why in reasons.items():
            ledger.bad_rows(scope, f"{name}: what was not read can't be marked as such: {why}")
        return {*reasons}

    def _mark(self, model: NodeModel, rows: Sequence[KeptRow], mark: str) -> None:
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

    def _commit(self, model: NodeModel, rows: Sequence[Row], tag: int) -> None:
        """Rows of one model, with their relationships, in one transaction."""
        load, detach = self._statements[model]

        def work(tx: neo4j.ManagedTransaction) -> None:
            if not model.shared:
                tx.run(detach, rows=BulkRows({"k": row["k"], "s": row["s"]} for row in rows)).consume()
                scopes = [coverage.place(Scope.parse(scope)) for scope in sorted({row["s"] for row in rows})]
                tx.run(_HELD, scopes=scopes, tag=tag).consume()
            tx.run(load, rows=BulkRows(rows), tag=tag).consume()

        self._graph.write(work)

    def load_again(self, rows: Sequence[RejectedRow], tag: int) -> list[tuple[RejectedRow, str]]:
        """Rows that the graph refused before. Returns those that it refuses still, with the reason."""
        refused: list[tuple[RejectedRow, str]] = []
        for rejected in rows:
            model = self._schema.by_wire_name.get(rejected.model)
            if model is None or rejected.row is None:
                why = (
                    "it was too large to be kept" if model else f"this version doesn't know the model {rejected.model}"
                )
                refused.append((rejected, why))
                continue
            for _, reason in self._sender.send(rejected.model, [rejected.row], self._committing(model, tag)):
                refused.append((rejected, reason))
        return refused

    def _committing(self, model: NodeModel, tag: int) -> Callable[[Sequence[Row]], None]:
        return lambda rows: self._commit(model, rows, tag)

    @cached_property
    def _keepers(self) -> dict[NodeModel, tuple[str, str]]:
        return {model: cypher.keep(model) for model in self._statements}

    @cached_property
    def _statements(self) -> dict[NodeModel, tuple[str, str]]:
        models = {m for models in self._schema.models_of_type.values() for m in models}
        return {model: (cypher.load(model, self._schema), cypher.detach_from_previous_scope(model)) for model in models}


def _rows(taken: Taken, ledger: Ledger) -> tuple[list[Row], set[Scope]]:
    """None of a batch that can't be read: its scope fails."""
    rows, failed = list[Row](), set[Scope]()
    for batch, payload in taken.batches:
        scope = _scope_of(batch)
        if scope is None:
            continue
        try:
            rows += decode(payload, scope)
        except InvalidBatch as error:
            log.warning("%s: %s", scope.shown, error)
            ledger.bad_rows(scope, f"a batch of {taken.model} can't be read: {error}")
            failed.add(scope)
    return rows, failed


def _scope_of(batch: str) -> Scope | None:
    """None where somebody else than a fetch gave it its name: it counts as loaded, and nothing is."""
    try:
        return BatchId.parse(batch).scope
    except ValueError:
        log.warning("%r is not a batch", batch)
        return None
