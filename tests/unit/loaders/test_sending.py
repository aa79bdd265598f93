"""Rows on their way to the graph: what fails is halved, tried a bounded number of times, and costs nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import neo4j
import pytest
from neo4j.exceptions import Neo4jError, ServiceUnavailable

from loaders.causes import Cause, cause_of, needs_a_hand
from loaders.graph import Graph
from loaders.page_size import SMALLEST, PageSize, in_pages
from loaders.sending import MAX_FAILURES_ALONE, ROWS_PER_TRANSACTION, Sender, Unsent
from loaders.writer import LostWriter, OutdatedRun


def neo4j_error(code: str, message: str = "why") -> Neo4jError:
    return Neo4jError._hydrate_neo4j(code=code, message=message)


TIMED_OUT = neo4j_error("Neo.ClientError.Transaction.TransactionTimedOut")
OUT_OF_MEMORY = neo4j_error("Neo.TransientError.General.MemoryPoolOutOfMemoryError")
BAD_TYPE = neo4j_error("Neo.ClientError.Statement.TypeError")
UNKNOWN = neo4j_error("Neo.DatabaseError.General.UnknownError")


class Writable(Graph):
    """Every transaction succeeds, unless the graph is away."""

    def __init__(self, away: Exception | None = None) -> None:
        self.away = away

    def write(self, work: Callable[[neo4j.ManagedTransaction], Any]) -> Any:
        if self.away:
            raise self.away


class Target:
    """Takes rows, except for those that a test refuses."""

    def __init__(self, refuse: Callable[[Sequence[int]], Exception | None]) -> None:
        self.refuse = refuse
        self.written: list[int] = []
        self.tries: list[int] = []

    def write(self, rows: Sequence[int]) -> None:
        self.tries.append(len(rows))
        if error := self.refuse(rows):
            raise error
        self.written += rows


def refusing(number: int, error: Exception) -> Target:
    return Target(lambda rows: error if number in rows else None)


def larger_than(size: int, error: Exception) -> Target:
    return Target(lambda rows: error if len(rows) > size else None)


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (OverflowError("Integer out of bounds"), Cause.DATA),
        (TypeError("sets can't be sent"), Cause.DATA),
        (ValueError("x"), Cause.DATA),
        (RecursionError(), Cause.DATA),
        (BAD_TYPE, Cause.DATA),
        (neo4j_error("Neo.ClientError.Schema.ConstraintValidationFailed"), Cause.DATA),
        (TIMED_OUT, Cause.TOO_MUCH),
        (neo4j_error("Neo.ClientError.Transaction.TransactionTimedOutClientConfiguration"), Cause.TOO_MUCH),
        (OUT_OF_MEMORY, Cause.TOO_MUCH),
        (neo4j_error("Neo.ClientError.General.TransactionOutOfMemoryError"), Cause.TOO_MUCH),
        (MemoryError(), Cause.TOO_MUCH),
        (UNKNOWN, Cause.OTHER),
        (ServiceUnavailable("gone"), Cause.OTHER),
        (neo4j_error("Neo.ClientError.Security.Unauthorized"), Cause.OTHER),
    ],
)
def test_what_an_error_means(error: Exception, cause: Cause) -> None:
    assert cause_of(error) is cause


@pytest.mark.parametrize("error", [OverflowError(), BAD_TYPE, TIMED_OUT, OUT_OF_MEMORY, RuntimeError("never seen")])
def test_a_row_that_cannot_be_sent_costs_itself_alone(error: Exception) -> None:
    target = refusing(700, error)
    rejected = Sender(Writable()).send("kind", range(1_500), target.write)
    assert [row for row, _ in rejected] == [700]
    assert sorted(target.written) == [n for n in range(1_500) if n != 700]


def test_an_unknown_error_is_worth_another_try_and_then_it_is_the_rows_fault() -> None:
    target = refusing(3, UNKNOWN)
    with pytest.raises(Unsent):
        Sender(Writable()).send("kind", range(10), target.write, last_try=False)
    assert target.tries == [10]
    assert Sender(Writable()).send("kind", range(10), target.write, last_try=True) == [(3, "why")]


@pytest.mark.parametrize("error", [UNKNOWN, ServiceUnavailable("cut"), TIMED_OUT, BAD_TYPE])
def test_where_the_graph_cannot_be_written_no_row_is_rejected(error: Exception) -> None:
    away = ServiceUnavailable("away")
    with pytest.raises(ServiceUnavailable, match="away"):
        Sender(Writable(away)).send("kind", range(10), refusing(3, error).write)


@pytest.mark.parametrize("error", [LostWriter("w"), OutdatedRun("tag 1")])
def test_a_writer_that_may_not_write_any_more_stops_at_once(error: Exception) -> None:
    target = refusing(3, error)
    with pytest.raises(type(error)):
        Sender(Writable()).send("kind", range(10), target.write)
    assert target.tries == [10]


def test_a_sender_remembers_what_fits_and_tries_more_after_some_time() -> None:
    sender, target = Sender(Writable()), larger_than(600, TIMED_OUT)
    assert sender.send("kind", range(10 * ROWS_PER_TRANSACTION), target.write) == []
    assert sum(size > 600 for size in target.tries) <= 4
    assert sender.send("another", range(600), target.write) == []
    target.refuse = lambda _: None
    target.tries.clear()
    sender.send("kind", range(50 * ROWS_PER_TRANSACTION), target.write)
    assert max(target.tries) == ROWS_PER_TRANSACTION


@pytest.mark.parametrize("error", [TIMED_OUT, UNKNOWN])
def test_where_nothing_fits_the_tries_are_bounded(error: Exception) -> None:
    """Each of them may take two minutes."""
    sender, target = Sender(Writable()), larger_than(0, error)
    assert len(sender.send("kind", range(50_000), target.write)) == 50_000
    assert len(target.tries) <= MAX_FAILURES_ALONE
    target.tries.clear()
    assert len(sender.send("kind", range(50_000), target.write)) == 50_000
    assert len(target.tries) == 1
    target.refuse = lambda _: None
    assert sender.send("kind", range(100), target.write) == []


def test_batches_that_take_too_long_together_are_to_be_tried_alone() -> None:
    target = larger_than(0, TIMED_OUT)
    with pytest.raises(Unsent):
        Sender(Writable()).send("kind", range(2_000), target.write, alone=False, last_try=False)


def test_pages_are_halved_down_to_a_smallest_size_and_no_further() -> None:
    target = larger_than(130, OUT_OF_MEMORY)
    in_pages(range(1_000), size := PageSize(1_000), target.write)
    assert (sorted(target.written), size.size) == (list(range(1_000)), 125)
    nothing = larger_than(0, OUT_OF_MEMORY)
    with pytest.raises(Neo4jError):
        in_pages(range(1_000), PageSize(1_000), nothing.write)
    assert nothing.tries == [1000, 500, 250, 125, 62, SMALLEST]


@pytest.mark.parametrize(
    "error",
    [
        neo4j_error("Neo.DatabaseError.Transaction.TransactionLogError", "Could not append transaction"),
        neo4j_error(
            "Neo.DatabaseError.Transaction.TransactionStartFailed",
            "The database has encountered a critical error, and needs to be restarted.",
        ),
        neo4j_error("Neo.ClientError.General.ForbiddenOnReadOnlyDatabase", "the database is in read-only mode"),
        neo4j_error("Neo.DatabaseError.Statement.ExecutionFailed", "java.io.IOException: No space left on device"),
    ],
)
def test_a_full_disk_needs_a_hand(error: Exception) -> None:
    """What Neo4j 5.26 answers on a full file system; once there is space again, only a restart helps."""
    assert needs_a_hand(error)
    assert not needs_a_hand(TIMED_OUT)
    assert not needs_a_hand(ServiceUnavailable("Couldn't connect to localhost:7687"))
