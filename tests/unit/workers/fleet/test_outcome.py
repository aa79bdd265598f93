"""The result of a scope's task says what became of the scope, since Celery calls the task a success in every case."""

from __future__ import annotations

import fakeredis
import pytest

from loaders.ledger import Attempt, Ledger
from loaders.scope import Scope
from workers.fleet.attempt import NOTHING_TO_DO, _outcome

PLANNER = Scope(type="toy.tenants", tenant="toy")
SCOPE = Scope(type="toy.things", tenant="t")


@pytest.fixture
def ledger() -> Ledger:
    ledger = Ledger(fakeredis.FakeRedis(), "1-toy")
    ledger.open(tag=1, config={}, window=1, planners=[PLANNER])
    return ledger


@pytest.fixture
def attempt(ledger: Ledger) -> Attempt:
    """At a scope of which the graph holds something, so that it isn't settled before its cleanup."""
    ledger.plan(begin(ledger, PLANNER), [(SCOPE, True, 0.0)], queue=False)
    return begin(ledger, SCOPE)


def begin(ledger: Ledger, scope: Scope) -> Attempt:
    attempt = ledger.begin(scope, lease_seconds=60, worker="test")
    assert attempt is not None
    return attempt


def outcome(ledger: Ledger, attempt: Attempt) -> str:
    unit, _ = ledger.ended(attempt.scope)
    return _outcome(unit, attempt)


@pytest.mark.parametrize(("rows", "text"), [(0, "complete: 0 rows"), (1, "complete: 1 row"), (2, "complete: 2 rows")])
def test_a_complete_scope(ledger: Ledger, attempt: Attempt, rows: int, text: str) -> None:
    ledger.push(attempt, number=0, model="Thing", rows=rows, payload=b"")
    ledger.fetched(attempt, batches=1, outcome={})
    assert outcome(ledger, attempt) == text


def test_a_denied_scope_and_why(ledger: Ledger, attempt: Attempt) -> None:
    ledger.denied(attempt, "AccessDenied toy:List", {})
    assert outcome(ledger, attempt) == "denied: AccessDenied toy:List"


def test_a_failed_scope_in_a_bounded_text(ledger: Ledger, attempt: Attempt) -> None:
    ledger.failed(attempt, "unexpected ValueError: " + "x" * 1000, {})
    text = outcome(ledger, attempt)
    assert text.startswith("failed: unexpected ValueError: xxx")
    assert len(text) == 200


def test_a_scope_that_was_given_back(ledger: Ledger, attempt: Attempt) -> None:
    ledger.later(attempt, wait_seconds=30, reason="throttled")
    assert outcome(ledger, attempt) == "given back: throttled"


def test_a_planning_unit_has_no_rows(ledger: Ledger) -> None:
    planner = begin(ledger, PLANNER)
    ledger.plan(planner, [], queue=True)
    assert outcome(ledger, planner) == "complete"


def test_an_attempt_that_another_one_replaced(ledger: Ledger, attempt: Attempt) -> None:
    ledger.later(attempt, wait_seconds=0, reason="the worker shuts down")
    begin(ledger, SCOPE)
    assert outcome(ledger, attempt) == NOTHING_TO_DO
