"""The single writer of a graph, and the run that has claimed it.

One node, `(:SyncGraph {id: 'graph'})`, holds the writer's name and a fencing token (`fence`) that only increases. Every
write transaction first locks that node and reads the fence, so a writer that was paused and resumes, or one that
belongs to another broker, finds a higher fence and can't write. A run claims the graph on the same node, with a tag
that must increase.

Whether a writer or a run is still alive is told by a value that each of its heartbeats changes (`writer_beat`,
`run_beat`), and by nobody's wall clock: who wants to take over watches it for the length of a lease. The times of the
heartbeats (`writer_seen_at`, `run_seen_at`) are for people, and for workers of versions without these values.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, LiteralString, TypeVar

import neo4j

from loaders.causes import is_too_much
from loaders.errors import ChartfleetError
from loaders.graph import Graph, Parameters
from loaders.heartbeat import Observer

T = TypeVar("T")

# A process that hangs must not hold that node's lock forever: Neo4j ends its transaction after this time.
CLAIM_SECONDS = 150  # longer than a batch of the writer, which a claim may have to wait for
HEARTBEAT_SECONDS = 10  # the next heartbeat follows soon
# A transaction begins with a heartbeat. One that takes longer ends with one, too: who waited for the lock, and goes by
# the time of the heartbeat, must read a fresh one.
SHORT_SECONDS = 1
POLL_SECONDS = 0.5  # between looks at the heartbeat of a run that may be gone

GRAPH_NODE: LiteralString = "(g:SyncGraph {id: 'graph'})"

# Not a number that increases: a statement that reads what it sets takes two locks, one after the other, and deadlocks.
_WRITER_BEATS: LiteralString = "g.writer_beat = randomUUID(), g.writer_seen_at = timestamp()"
_RUN_BEATS: LiteralString = "g.run_beat = randomUUID()"
_BEATS: LiteralString = (
    f"{_WRITER_BEATS}, {_RUN_BEATS}, g.run_seen_at = CASE WHEN g.run IS NULL THEN null ELSE timestamp() END"
)
_CLAIM: LiteralString = (
    "RETURN g.run AS run, coalesce(g.tag, 0) AS tag, coalesce(g.adopting, false) AS adopting, "
    "[g.run, g.run_beat, g.run_seen_at] AS sign"
)


class LostWriter(Exception):
    """Another writer took over. Nothing was written, and nothing may be until the fence is acquired again."""


class OutdatedRun(Exception):
    """A later run has claimed the graph: this run's data must not be written."""


class RunRefused(ChartfleetError):
    """The run can't claim the graph: another run holds it, its tag is too low, or an adoption was interrupted."""


class LaterRun(RunRefused):
    """A run can't be resumed, because a later one has claimed the graph since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Which run holds the graph, and the highest tag written.

    sign      changes with each heartbeat of the run
    adopting  an adoption of another tool's data has begun and isn't finished
    """

    run: str | None
    tag: int
    sign: tuple[object, ...]
    adopting: bool


class Writer(Graph):
    """A graph with fenced writes. `lease_seconds`: without a heartbeat for so long, another writer may take over."""

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
        self._lease_seconds = lease_seconds
        self._other = Observer()
        self._transaction_seconds = transaction_seconds
        self._fence: int | None = None
        self._tag: int | None = None

    def acquire(self) -> bool:
        """Become the writer, unless another one has sent a heartbeat since this one first asked, a lease ago."""

        @neo4j.unit_of_work(timeout=self._transaction_seconds)
        def work(tx: neo4j.ManagedTransaction) -> int | None:
            # the SET takes the lock, so that what follows reads the last commit
            held = tx.run(
                f"MERGE {GRAPH_NODE} SET g.asked_by = $name "
                "RETURN g.writer AS writer, [g.writer, g.fence, g.writer_beat, g.writer_seen_at] AS sign",
                name=self.name,
            ).single(strict=True)
            other = held["writer"] not in (None, self.name)
            if other and self._other.unchanged_seconds(tuple(held["sign"])) < self._lease_seconds:
                return None
            record = tx.run(
                f"MATCH {GRAPH_NODE} "
                "SET g.fence = coalesce(g.fence, 0) + CASE g.writer WHEN $name THEN 0 ELSE 1 END, "
                f"    g.writer = $name, {_WRITER_BEATS} RETURN g.fence AS fence",
                name=self.name,
            ).single(strict=True)
            return int(record["fence"])

        self._fence = super().write(work)
        return self._fence is not None

    def release(self) -> None:
        """Let the next writer start without waiting for the lease to run out."""
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
        """Stop writing: the next transaction raises LostWriter."""
        self._fence = None

    def serve(self, tag: int) -> None:
        """From now on write for the run of this tag."""
        self._tag = tag

    def write(self, work: Callable[[neo4j.ManagedTransaction], T]) -> T:
        """One transaction that holds the fence. Raises LostWriter or OutdatedRun before `work` runs.

        After one that took too long, a short one says that this writer is alive: what it tried left no trace.
        """
        try:
            return self._fenced(work)
        except Exception as error:
            if is_too_much(error):
                self._fenced(lambda _: None)
            raise

    def _fenced(self, work: Callable[[neo4j.ManagedTransaction], T]) -> T:
        @neo4j.unit_of_work(timeout=self._transaction_seconds)
        def fenced(tx: neo4j.ManagedTransaction) -> T:
            started = time.monotonic()
            self._check(tx)
            result = work(tx)
            if time.monotonic() - started > SHORT_SECONDS:
                tx.run(f"MATCH {GRAPH_NODE} SET {_BEATS}").consume()
            return result

        return super().write(fenced)

    def autocommit(self, query: str, parameters: Parameters | None = None) -> list[dict[str, Any]]:
        """The fence is checked just before: Neo4j runs these statements in transactions of their own."""
        self.write(lambda _: None)
        return super().autocommit(query, parameters)

    def _check(self, tx: neo4j.ManagedTransaction) -> None:
        record = tx.run(
            f"MATCH {GRAPH_NODE} SET {_BEATS} RETURN g.fence AS fence, g.writer AS writer, coalesce(g.tag, 0) AS tag"
        ).single()
        if record is None or self._fence is None or (record["fence"], record["writer"]) != (self._fence, self.name):
            self._fence = None
            raise LostWriter(self.name)
        if self._tag is not None and record["tag"] != self._tag:
            raise OutdatedRun(f"tag {self._tag}; the graph is at {record['tag']}")


def claim(
    graph: Graph,
    *,
    run: str,
    tag: int,
    resume: bool,
    lease_seconds: float,
    adopting: bool = False,
    on_wait: Callable[[str], object] = lambda _: None,
) -> None:
    """Claim the graph for one run. Raises RunRefused, naming the run that holds it or the tag that is too low.

    A run without a heartbeat for `lease_seconds` no longer holds the graph: its fleet is gone. That takes as long to
    find out; `on_wait` is told the id of that run. `adopting`: the claim of an adoption. Until `adopted` is called, no
    run can claim the graph, even if the adoption's claim is lost.
    """
    holder = Observer()

    @neo4j.unit_of_work(timeout=CLAIM_SECONDS)
    def work(tx: neo4j.ManagedTransaction) -> Claim | None:
        held = _claim(tx.run(f"MERGE {GRAPH_NODE} SET g.asked_by = $run {_CLAIM}", run=run).single(strict=True))
        if held.run not in (None, run) and holder.unchanged_seconds(held.sign) < lease_seconds:
            return held
        half_adopted = held.adopting and not adopting
        if half_adopted or tag < held.tag or (tag == held.tag and not resume):
            return replace(held, run=None, adopting=half_adopted)
        tx.run(
            f"MATCH {GRAPH_NODE} SET g.run = $run, g.tag = $tag, g.run_seen_at = timestamp(), {_RUN_BEATS}, "
            "g.adopting = CASE WHEN $adopting THEN true END",
            run=run,
            tag=tag,
            adopting=adopting,
        ).consume()
        return None

    refused = graph.write(work)
    if refused is not None and refused.run:
        on_wait(refused.run)
        if _is_alive(graph, refused, holder, lease_seconds):
            raise held_by(refused.run)
        refused = graph.write(work)  # it may have sent a heartbeat meanwhile: its sign is compared under the lock
    if refused is None:
        return
    if refused.run:
        raise held_by(refused.run)
    if refused.adopting:
        raise RunRefused(
            "this graph is taken over in part only, because the adoption was interrupted: run `chartfleet adopt` again"
        )
    if resume:
        raise LaterRun(
            f"--resume: a later run has started since (tag {refused.tag}); start a new one with `chartfleet sync`"
        )
    raise RunRefused(
        f"--update-tag {tag}: must be above {refused.tag}, the highest tag in this graph; omit it to use the time"
    )


def _is_alive(graph: Graph, held: Claim, holder: Observer, lease_seconds: float) -> bool:
    """Wait for a heartbeat of the run that holds the graph. False after a lease without one, or if it let go."""
    while True:
        now = claimed_by(graph)
        if now is None or now.run != held.run:
            return False
        if now.sign != held.sign:
            return True
        left_seconds = lease_seconds - holder.unchanged_seconds(now.sign)
        if left_seconds <= 0:
            return False
        time.sleep(min(left_seconds, POLL_SECONDS))


def held_by(run: str) -> RunRefused:
    return RunRefused(f"run {run} holds the graph, and is alive: wait for it, or end it with `chartfleet cancel {run}`")


def adopted(writer: Writer) -> None:
    """The adoption is finished: runs may claim the graph."""
    writer.write(lambda tx: tx.run(f"MATCH {GRAPH_NODE} REMOVE g.adopting").consume())


def keep_claim(graph: Graph, run: str) -> bool:
    """The run's heartbeat. False if it no longer holds the graph."""

    @neo4j.unit_of_work(timeout=HEARTBEAT_SECONDS)
    def work(tx: neo4j.ManagedTransaction) -> bool:
        query = (
            f"MATCH {GRAPH_NODE} WHERE g.run = $run SET g.run_seen_at = timestamp(), {_RUN_BEATS} RETURN g.run AS run"
        )
        return tx.run(query, run=run).single() is not None

    return graph.write(work)


def release_claim(graph: Graph, run: str) -> None:
    @neo4j.unit_of_work(timeout=CLAIM_SECONDS)
    def work(tx: neo4j.ManagedTransaction) -> None:
        tx.run(f"MATCH {GRAPH_NODE} WHERE g.run = $run REMOVE g.run, g.run_seen_at", run=run).consume()

    graph.write(work)


def revoke_claim(graph: Graph, run: str) -> None:
    """Take the graph from a cancelled run. A process that still writes for it finds a higher fence and stops."""

    @neo4j.unit_of_work(timeout=CLAIM_SECONDS)
    def work(tx: neo4j.ManagedTransaction) -> None:
        tx.run(
            f"MATCH {GRAPH_NODE} WHERE g.run = $run "
            "SET g.fence = coalesce(g.fence, 0) + 1 REMOVE g.run, g.run_seen_at, g.writer, g.writer_seen_at",
            run=run,
        ).consume()

    graph.write(work)


def claimed_by(graph: Graph) -> Claim | None:
    """The claim on this graph, or None if no run ever claimed it."""
    rows = graph.rows(f"MATCH {GRAPH_NODE} {_CLAIM}")
    return _claim(rows[0]) if rows else None


def heartbeat(graph: Graph) -> tuple[str, float] | None:
    """The writer's last heartbeat: its value, and its age in seconds; None if there is no writer."""
    query = (
        f"MATCH {GRAPH_NODE} WHERE g.writer IS NOT NULL "
        "RETURN coalesce(g.writer_beat, '') AS value, (timestamp() - g.writer_seen_at) / 1000.0 AS seconds"
    )
    rows = graph.rows(query)
    return (str(rows[0]["value"]), float(rows[0]["seconds"])) if rows else None


def _claim(record: Mapping[str, Any]) -> Claim:
    return Claim(run=record["run"], tag=record["tag"], sign=tuple(record["sign"]), adopting=record["adopting"])


def wait_until(condition: Callable[[], bool], *, seconds: float, poll_seconds: float = 0.5) -> bool:
    """Poll until the condition holds, or the time is up. Returns whether it holds."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= end:
            return False
        time.sleep(poll_seconds)
    return True
