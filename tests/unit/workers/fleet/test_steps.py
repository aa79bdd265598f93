"""A step of the analysis that fails: tried again where that may help, named where it doesn't, and no reason to stop."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import fakeredis
import neo4j
import pytest
from neo4j.exceptions import Neo4jError, ServiceUnavailable

from analysis.engine import JobError
from analysis.job import Job
from loaders.ledger import Ledger
from loaders.writer import LostWriter, Writer
from workers.fleet.steps import MAX_TRIES, Steps, TryAgain


class Writable(Writer):
    """Every transaction succeeds, unless the graph is away."""

    def __init__(self, away: Exception | None = None) -> None:
        self.away = away

    def write(self, work: Callable[[neo4j.ManagedTransaction], Any]) -> Any:
        if self.away:
            raise self.away


@pytest.fixture
def ledger() -> Ledger:
    ledger = Ledger(fakeredis.FakeRedis(), "r1")
    ledger.open(tag=1, config={}, window=1, planners=[])
    assert ledger.open_barrier("me", lease_seconds=60)
    return ledger


def attempt(ledger: Ledger, error: Exception, *, job: bool = False, away: Exception | None = None) -> Steps:
    """One attempt at an analysis of which the second step fails."""
    steps = Steps(Writable(away), ledger, "me")
    with steps.step("first"):
        pass
    with steps.step("second", job=job):
        raise error
    with steps.step("third"):
        pass
    return steps


def error(code: str) -> Neo4jError:
    return Neo4jError._hydrate_neo4j(code=code, message="why")


UNKNOWN = error("Neo.DatabaseError.General.UnknownError")
TIMED_OUT = error("Neo.ClientError.Transaction.TransactionTimedOut")


def test_what_nobody_understands_is_tried_again_a_bounded_number_of_times(ledger: Ledger) -> None:
    for _ in range(MAX_TRIES - 1):
        with pytest.raises(TryAgain, match="second: why"):
            attempt(ledger, UNKNOWN)
    steps = attempt(ledger, UNKNOWN)
    assert (steps.failed, list(steps.seconds)) == (["second: why"], ["first", "second", "third"])


@pytest.mark.parametrize("why", [TIMED_OUT, ValueError("why"), error("Neo.ClientError.Statement.SyntaxError")])
def test_what_would_fail_again_fails_at_once_and_stops_no_other_step(ledger: Ledger, why: Exception) -> None:
    steps = attempt(ledger, why)
    assert [text.partition(":")[0] for text in steps.failed] == ["second"]
    assert "third" in steps.seconds


def test_a_job_that_fails_does_not_fail_the_run(ledger: Ledger) -> None:
    job = Job(name="exposure", file=Path("exposure.json"), statements=())
    steps = attempt(ledger, JobError(job, 2, "why"), job=True)
    assert (steps.failed, len(steps.failed_jobs)) == ([], 1)
    assert steps.failed_jobs[0].endswith("statement 2: why")


@pytest.mark.parametrize("why", [UNKNOWN, TIMED_OUT, ServiceUnavailable("cut"), JobError])
def test_a_graph_that_is_away_is_not_the_steps_fault(ledger: Ledger, why: Any) -> None:
    if why is JobError:
        why = JobError(Job(name="exposure", file=Path("exposure.json"), statements=()), 2, "no space left")
    for _ in range(2 * MAX_TRIES):
        with pytest.raises(ServiceUnavailable, match="away"):
            attempt(ledger, why, away=ServiceUnavailable("away"))
    assert ledger.failed_step("me", "second") == 1


def test_a_writer_that_was_replaced_stops_at_once(ledger: Ledger) -> None:
    with pytest.raises(LostWriter):
        attempt(ledger, LostWriter("me"))


def test_a_step_of_many_parts_loses_the_part_that_fails(ledger: Ledger) -> None:
    done: list[str] = []

    def fail() -> None:
        raise TIMED_OUT

    steps = Steps(Writable(), ledger, "me")
    parts: list[tuple[str, Callable[[], object]]] = [("a", fail), ("b", lambda: done.append("b"))]
    steps.each("links", iter(parts))
    assert done == ["b"]
    assert [text.partition(": why")[0] for text in steps.failed] == ["links: a"]
    assert list(steps.seconds) == ["links"]
