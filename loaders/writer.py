"""The single writer of a graph: who may write, and for which run.

One node, `(:SyncGraph {id: 'graph'})`, holds the writer's name and a fence that only rises. Every write transaction
first takes that node's lock and reads the fence, so a writer that was stopped and comes back, or one that belongs to
another broker, finds a higher fence and can't write. A run claims the graph on the same node; its tag must rise.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, LiteralString, TypeVar

import neo4j

from loaders.errors import ChartfleetError
from loaders.graph import Graph, Parameters

T = TypeVar("T")

# Whoever holds the lock of that node and stands still must not hold it for ever: Neo4j ends every such transaction.
CLAIM_SECONDS = 150  # longer than a batch of the writer's, which a claim may have to wait for
HEARTBEAT_SECONDS = 10  # there is another one soon

GRAPH_NODE: LiteralString = "(g:SyncGraph {id: 'graph'})"


class LostWriter(Exception):
    """Another writer took over: nothing was written, and nothing may be until the fence is taken again."""


class OutdatedRun(Exception):
    """The graph belongs to a later run by now: this run's data must not be written."""


class RunRefused(ChartfleetError):
    """The graph can't be claimed for this run: another run holds it, the tag doesn't rise, or it is half adopted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Which run holds the graph, since when it was last seen alive, and the highest tag written.

    `adopting`: to take over what another tool wrote has begun, and isn't done.
    """

    run: str | None
    tag: int
    seen_seconds_ago: float
    adopting: bool


class Writer(Graph):
    """A graph whose writes carry the fence. `lease_seconds`: how long after its last sign another may take over."""

    def __init__(
        self,
        driver: neo4j.Driver,
        database: str | None = None,
        *,
        lease_seconds: float = 15,
        transaction_seconds: float = 120,
    ) -> None:
        super().__init__(driver, database)
        self.name = secrets.token_hex(6)
        self._lease_ms = int(lease_seconds * 1000)
        self._transaction_seconds = transaction_seconds
        self._fence: int | None = None
        self._tag: int | None = None

    def acquire(self) -> bool:
        """Become the writer, unless another one gave a sign of life within its lease."""

        @neo4j.unit_of_work(timeout=self._transaction_seconds)
        def work(tx: neo4j.ManagedTransaction) -> int | None:
            record = tx.run(
                # the SET takes the lock: what follows reads the last commit
                f"MERGE {GRAPH_NODE} SET g.asked_by = $name "
                "WITH g WHERE g.writer IS NULL OR g.writer = $name OR g.writer_seen_at < timestamp() - $lease "
                "SET g.fence = coalesce(g.fence, 0) + CASE g.writer WHEN $name THEN 0 ELSE 1 END, "
                "    g.writer = $name, g.writer_seen_at = timestamp() "
                "RETURN g.fence AS fence",
                name=self.name,
                lease=self._lease_ms,
            ).single()
            return None if record is None else int(record["fence"])

        self._fence = super().write(work)
        return self._fence is not None

    def release(self) -> None:
        """Let the next one write without waiting for the lease to run out."""
        if self._fence is None:
            return
        fence, self._fence = self._fence, None

        @neo4j.unit_of_work(timeout=self._transaction_seconds)
        def work(tx: neo4j.ManagedTransaction) -> None:
            tx.run(
                f"MATCH {GRAPH_NODE} WHERE g.fence = $fence AND g.writer = $name REMOVE g.writer, g.writer_seen_at",
                fence=fence,
                name=self.name,
            ).consume()

        super().write(work)

    def give_up(self) -> None:
        """Write nothing more: the next transaction raises LostWriter."""
        self._fence = None

    def serve(self, tag: int) -> None:
        """Write for the run of this tag from now on."""
        self._tag = tag

    def write(self, work: Callable[[neo4j.ManagedTransaction], T]) -> T:
        """One transaction that holds the fence. Raises LostWriter or OutdatedRun, before `work` has run."""

        @neo4j.unit_of_work(timeout=self._transaction_seconds)
        def fenced(tx: neo4j.ManagedTransaction) -> T:
            self._check(tx)
            done = work(tx)
            self._sign(tx)
            return done

        return super().write(fenced)

    def autocommit(self, query: str, parameters: Parameters | None = None) -> list[dict[str, Any]]:
        """The fence is checked just before: Neo4j runs these statements in transactions of their own."""
        self.write(lambda _: None)
        return super().autocommit(query, parameters)

    def _sign(self, tx: neo4j.ManagedTransaction) -> None:
        """Who waited for the lock meanwhile must read a fresh sign of life, however long this transaction took."""
        tx.run(
            f"MATCH {GRAPH_NODE} SET g.writer_seen_at = timestamp(), "
            "g.run_seen_at = CASE WHEN g.run IS NULL THEN null ELSE timestamp() END"
        ).consume()

    def _check(self, tx: neo4j.ManagedTransaction) -> None:
        record = tx.run(
            f"MATCH {GRAPH_NODE} SET g.writer_seen_at = timestamp() "
            "RETURN g.fence AS fence, g.writer AS writer, coalesce(g.tag, 0) AS tag"
        ).single()
        if record is None or self._fence is None or (record["fence"], record["writer"]) != (self._fence, self.name):
            self._fence = None
            raise LostWriter(self.name)
        if self._tag is not None and record["tag"] != self._tag:
            raise OutdatedRun(f"tag {self._tag}; the graph is at {record['tag']}")


def claim(graph: Graph, *, run: str, tag: int, resume: bool, lease_seconds: float, adopting: bool = False) -> None:
    """Take the graph for one run. Raises RunRefused, naming the run that holds it or the tag that is too low.

    A run that gave no sign of life for `lease_seconds` holds nothing: its fleet is gone. `adopting`: the claim is that
    of an adoption; until `adopted`, the graph is for nobody else, whatever becomes of the claim.
    """

    @neo4j.unit_of_work(timeout=CLAIM_SECONDS)
    def work(tx: neo4j.ManagedTransaction) -> Claim | None:
        held = _claim(tx.run(f"MERGE {GRAPH_NODE} SET g.asked_by = $run {_CLAIM}", run=run).single(strict=True))
        if held.run not in (None, run) and held.seen_seconds_ago < lease_seconds:
            return held
        half_adopted = held.adopting and not adopting
        if half_adopted or tag < held.tag or (tag == held.tag and not resume):
            return replace(held, run=None, adopting=half_adopted)
        tx.run(
            f"MATCH {GRAPH_NODE} SET g.run = $run, g.tag = $tag, g.run_seen_at = timestamp(), "
            "g.adopting = CASE WHEN $adopting THEN true END",
            run=run,
            tag=tag,
            adopting=adopting,
        ).consume()
        return None

    refused = graph.write(work)
    if refused is None:
        return
    if refused.run:
        raise RunRefused(
            f"run {refused.run} holds the graph (last sign of it {refused.seen_seconds_ago:.0f} s ago): "
            f"wait for it, or end it with `chartfleet cancel {refused.run}`"
        )
    if refused.adopting:
        raise RunRefused("this graph is taken over in part only, as that was interrupted: run `chartfleet adopt` again")
    if resume:
        raise RunRefused(
            f"--resume: a later run has started since (tag {refused.tag}); start a new one with `chartfleet sync`"
        )
    raise RunRefused(
        f"--update-tag {tag}: must be above {refused.tag}, the highest tag in this graph; leave it out for the time"
    )


def adopted(writer: Writer) -> None:
    """Nothing is left to take over: runs may have the graph."""
    writer.write(lambda tx: tx.run(f"MATCH {GRAPH_NODE} REMOVE g.adopting").consume())


def keep_claim(graph: Graph, run: str) -> bool:
    """A sign of life of the run; False where it no longer holds the graph."""

    @neo4j.unit_of_work(timeout=HEARTBEAT_SECONDS)
    def work(tx: neo4j.ManagedTransaction) -> bool:
        query = f"MATCH {GRAPH_NODE} WHERE g.run = $run SET g.run_seen_at = timestamp() RETURN g.run AS run"
        return tx.run(query, run=run).single() is not None

    return graph.write(work)


def release_claim(graph: Graph, run: str) -> None:
    @neo4j.unit_of_work(timeout=CLAIM_SECONDS)
    def work(tx: neo4j.ManagedTransaction) -> None:
        tx.run(f"MATCH {GRAPH_NODE} WHERE g.run = $run REMOVE g.run, g.run_seen_at", run=run).consume()

    graph.write(work)


def revoke_claim(graph: Graph, run: str) -> None:
    """Take the graph from a run that is cancelled: whoever still writes for it finds a higher fence and stops."""

    @neo4j.unit_of_work(timeout=CLAIM_SECONDS)
    def work(tx: neo4j.ManagedTransaction) -> None:
        tx.run(
            f"MATCH {GRAPH_NODE} WHERE g.run = $run "
            "SET g.fence = coalesce(g.fence, 0) + 1 REMOVE g.run, g.run_seen_at, g.writer, g.writer_seen_at",
            run=run,
        ).consume()

    graph.write(work)


def claimed_by(graph: Graph) -> Claim | None:
    """The claim on this graph, or None where no run ever took it."""
    found = graph.rows(f"MATCH {GRAPH_NODE} {_CLAIM}")
    return _claim(found[0]) if found else None


def heartbeat_age_seconds(graph: Graph) -> float | None:
    """How long ago the writer gave its last sign; None where there is no writer."""
    query = f"MATCH {GRAPH_NODE} WHERE g.writer IS NOT NULL RETURN (timestamp() - g.writer_seen_at) / 1000.0 AS seconds"
    found = graph.rows(query)
    return float(found[0]["seconds"]) if found else None


_CLAIM: LiteralString = (
    "RETURN g.run AS run, coalesce(g.tag, 0) AS tag, (timestamp() - coalesce(g.run_seen_at, 0)) / 1000.0 AS seconds, "
    "coalesce(g.adopting, false) AS adopting"
)


def _claim(record: Any) -> Claim:
    return Claim(run=record["run"], tag=record["tag"], seen_seconds_ago=record["seconds"], adopting=record["adopting"])


def wait_until(condition: Callable[[], bool], *, seconds: float, poll_seconds: float = 0.5) -> bool:
    """Ask again and again until it is so, or the time is up."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= end:
            return False
        time.sleep(poll_seconds)
    return True
