"""A tenant whose API is slow doesn't hold every slot of a process."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack

import fakeredis
import pytest
from celery import Celery

from loaders.ledger import Attempt, Ledger
from loaders.scope import Scope
from workers.fleet import fair_share
from workers.fleet.attempt import PUT_BEHIND, make_attempt
from workers.fleet.fair_share import FairShare
from workers.fleet.process import Process
from workers.fleet.publisher import Publisher
from workers.settings.settings import Settings


def begun(share: FairShare, tenant: str, count: int) -> ExitStack:
    attempts = ExitStack()
    for _ in range(count):
        attempts.enter_context(share.attempt(tenant))
    return attempts


@pytest.fixture
def all_are_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fair_share, "SLOW_SECONDS", -1.0)


@pytest.mark.usefixtures("all_are_slow")
def test_three_quarters_of_the_slots_are_a_slow_tenants_share() -> None:
    share = FairShare(slots=32)
    with begun(share, "aws/1", 23):
        assert not share.is_used_up("aws/1")
        with share.attempt("aws/1"):
            assert share.is_used_up("aws/1")
            assert not share.is_used_up("aws/2")
        assert not share.is_used_up("aws/1")


def test_a_fast_tenant_may_have_all() -> None:
    share = FairShare(slots=32)
    with begun(share, "aws/1", 32):
        assert not share.is_used_up("aws/1")


@pytest.mark.usefixtures("all_are_slow")
def test_one_slot_is_anybodys() -> None:
    share = FairShare(slots=1)
    assert not share.is_used_up("aws/1")
    with share.attempt("aws/1"):
        assert share.is_used_up("aws/1")


# -- where attempts begin

PLANNER = Scope(type="toy.tenants", tenant="toy")
SLOW = Scope(type="toy.things", tenant="slow")
OTHER = Scope(type="toy.things", tenant="other")


class Sent(Publisher):
    """In place of the broker: what was published."""

    def __init__(self) -> None:
        super().__init__(Celery(set_as_current=False))
        self.scopes: list[Scope] = []

    def publish_scopes(self, run: str, scopes: Iterable[Scope]) -> None:
        self.scopes += scopes


@pytest.fixture
def process() -> Process:
    process = Process(Settings.load({}, {}).with_values({"concurrency": 4}, "test"))
    process.redis = fakeredis.FakeRedis()
    return process


def planned(process: Process, *scopes: Scope) -> Ledger:
    ledger = process.ledger("1-toy")
    ledger.open(tag=1, config={}, window=9, planners=[PLANNER])
    tenants = [Scope(type="toy.regions", tenant=scope.tenant) for scope in scopes]
    ledger.plan(begin(ledger, PLANNER), [(tenant, False, 0.0) for tenant in tenants], queue=True)
    ledger.admit()
    for tenant, scope in zip(tenants, scopes, strict=True):
        ledger.plan(begin(ledger, tenant), [(scope, True, 0.0)], queue=False)
    return ledger


def begin(ledger: Ledger, scope: Scope) -> Attempt:
    attempt = ledger.begin(scope, lease_seconds=60, worker="test")
    assert attempt
    return attempt


def attempt(process: Process, scope: Scope, sent: Sent) -> str:
    def work(process: Process, ledger: Ledger, attempt: Attempt, *_: object) -> None:
        ledger.fetched(attempt, batches=0, outcome={})

    return make_attempt(process, "1-toy", scope, sent, lambda: False, work)


@pytest.mark.usefixtures("all_are_slow")
def test_a_scope_beyond_the_share_goes_behind_those_of_other_tenants(process: Process) -> None:
    planned(process, SLOW, OTHER)
    sent = Sent()
    with begun(process.fair_share, "toy/slow", 3):
        assert attempt(process, SLOW, sent) == PUT_BEHIND
        assert attempt(process, OTHER, sent) == "complete: 0 rows"
    assert sent.scopes == [SLOW]


@pytest.mark.usefixtures("all_are_slow")
def test_a_tenant_that_is_alone_may_have_every_slot(process: Process) -> None:
    planned(process, SLOW)
    with begun(process.fair_share, "toy/slow", 3):
        assert attempt(process, SLOW, Sent()) == "complete: 0 rows"
