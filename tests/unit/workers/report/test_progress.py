from __future__ import annotations

import io
import time

import fakeredis
import pytest
from rich.console import Console

from loaders.ledger import Ledger
from loaders.scope import Scope
from workers.report import report, view
from workers.report.progress import Progress
from workers.report.silence import silent_workers

PLANNER = Scope(type="aws.tenants", tenant="aws")
SCOPES = [Scope(type="aws.ec2.vpcs", tenant="1111", region=f"r{n}") for n in range(4)]


@pytest.fixture
def ledger() -> Ledger:
    """A run of four planned scopes."""
    ledger = Ledger(fakeredis.FakeRedis(version=(7,)), "1-ab")
    ledger.open(tag=1, config={}, window=10, planners=[PLANNER])
    planner = ledger.begin(PLANNER, lease_seconds=60, worker="w")
    assert planner
    ledger.plan(planner, [(scope, False, 0.0) for scope in SCOPES], queue=False)
    return ledger


def progress(ledger: Ledger) -> Progress:
    info = ledger.info()
    assert info
    holders = ledger.holders()
    return Progress(info, sum(len(holder.scopes) for holder in holders), silent_workers(holders))


def test_a_worker_that_missed_its_heartbeats_is_named(ledger: Ledger) -> None:
    for scope, worker, lease in (
        (SCOPES[0], "fetch-a@vm:11", 60),
        (SCOPES[1], "fetch-b@vm:22", 1),
        (SCOPES[2], "fetch-b@vm:22", 1),
    ):
        assert ledger.begin(scope, lease_seconds=lease, worker=worker)
    assert str(progress(ledger)) == "1 of 5 scopes: 1 complete; 3 fetching"
    time.sleep(0.8)
    [silent] = silent_workers(ledger.holders())
    assert (silent["worker"], silent["scopes"]) == ("fetch-b@vm", 2)
    assert 0.8 <= silent["silent_seconds"] < 1.5
    assert silent["taken_over_in_seconds"] <= 0.2
    assert "3 fetching (2 by fetch-b@vm, silent for 1 s; taken over in 0 s)" in str(progress(ledger))
    console = Console(file=io.StringIO(), width=200)
    view.show(report.of(ledger), console)
    assert isinstance(console.file, io.StringIO)
    assert "running; 3 fetching (2 by fetch-b@vm, silent for" in console.file.getvalue()


def test_a_heartbeat_ends_the_silence(ledger: Ledger) -> None:
    attempt = ledger.begin(SCOPES[0], lease_seconds=1, worker="fetch-a@vm:11")
    assert attempt
    time.sleep(0.7)
    assert silent_workers(ledger.holders())
    assert ledger.renew(attempt, lease_seconds=1)
    assert silent_workers(ledger.holders()) == []


def test_seconds_of_silence_are_no_change(ledger: Ledger) -> None:
    assert ledger.begin(SCOPES[0], lease_seconds=1, worker="fetch-a@vm:11")
    time.sleep(0.6)
    before = progress(ledger)
    time.sleep(0.2)
    assert progress(ledger).change == before.change
    assert ledger.begin(SCOPES[1], lease_seconds=60, worker="fetch-a@vm:11")
    assert progress(ledger).change != before.change
