"""Rolling upgrades: workers of two versions at one broker. Each leaves the other's runs as they are, and says so."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest
import redis
from celery import Celery
from celery.contrib.testing.worker import start_worker

from loaders.ledger import Ledger, RunState, State, runs
from loaders.ledger.version import UNVERSIONED_KEY, VERSION, OtherVersion
from loaders.scope import Scope
from tests.fleet.command import FLEET_KEY
from workers.commands.runs import _row_of
from workers.fleet import barrier, fetching, loading, planning, sweeper
from workers.fleet.attempt import NOTHING_TO_DO, make_attempt
from workers.fleet.fleet_task import FleetTask
from workers.fleet.process import Process
from workers.fleet.publisher import Publisher
from workers.report import report
from workers.settings import fleet_key
from workers.settings.settings import Settings

# Written by the version before ledgers had one: a run whose scopes are planned, one of them with a batch that waits.
LEDGER = Path(__file__).parents[3] / "facts" / "ledger_version_1.json"
OLD = "1700000000-0ld1"
VPCS = Scope(type="aws.ec2.vpcs", tenant="111122223333", region="us-east-1")
REGIONS = Scope(type="aws.regions", tenant="111122223333")
PLANNER = Scope(type="aws.tenants", tenant="aws")


@pytest.fixture
def client(broker: redis.Redis) -> redis.Redis:
    """A broker with a run of the version before."""
    client = broker
    for key, entry in json.loads(LEDGER.read_text()).items():
        match entry["type"]:
            case "hash":
                client.hset(key, mapping=entry["value"])
            case "set":
                client.sadd(key, *entry["value"])
            case "zset":
                client.zadd(key, dict(entry["value"]))
            case _:
                client.set(key, entry["value"])
    return client


class Sent(Publisher):
    """Records what would be published."""

    def __init__(self) -> None:
        super().__init__(Celery(set_as_current=False))
        self.messages: list[Any] = []

    def publish_events(self, run: str, events: Any) -> None:
        self.messages += [(run, event) for event in events]

    def publish_scopes(self, run: str, scopes: Any) -> None:
        self.messages += [(run, scope) for scope in scopes]


@pytest.fixture
def process(client: redis.Redis) -> Process:
    process = Process(Settings.load({}, {}))
    process.redis = client
    process.name = "fetch-1@new:4711"
    return process


def contents(client: redis.Redis) -> dict[bytes, bytes | None]:
    return {key: client.dump(key) for key in client.scan_iter(f"{UNVERSIONED_KEY}*")}


def test_a_later_worker_changes_nothing_in_an_earlier_run(client: redis.Redis, process: Process) -> None:
    before, sent = contents(client), Sent()
    text = "left to a worker of the ledger's version 1: this one's is 2"
    assert make_attempt(process, OLD, VPCS, sent, lambda: False, fetching.work) == text
    assert make_attempt(process, OLD, REGIONS, sent, lambda: False, planning.list_regions) == text
    loading.load(process, OLD, sent, lambda: False)
    barrier.analyse(process, OLD)
    sweeper.sweep_once(process, sent)
    assert (contents(client), sent.messages) == (before, [])


def test_it_says_so_in_its_log(client: redis.Redis, process: Process, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    make_attempt(process, OLD, VPCS, Sent(), lambda: False, fetching.work)
    assert caplog.messages == [f"run {OLD}: left to a worker of the ledger's version 1: this one's is 2"]


def test_the_commands_name_an_earlier_run_and_send_its_user_to_that_version(client: redis.Redis) -> None:
    assert runs(client) == [OLD]
    assert _row_of(Ledger(client, OLD)) == (OLD, "-", "-", "of another version (1)", "-", "-", "-")
    with pytest.raises(OtherVersion, match="belongs to another version of Chartfleet"):
        report.of(Ledger(client, OLD))


def test_an_earlier_run_is_forgotten_with_all_its_keys(client: redis.Redis) -> None:
    Ledger(client, OLD).forget()
    assert contents(client) == {}
    assert runs(client) == []


@pytest.fixture
def ledger(client: redis.Redis) -> Ledger:
    """A run of today."""
    ledger = Ledger(client, "1800000000-new1", fleet_key.fleet_key({fleet_key.VARIABLE: FLEET_KEY}))
    ledger.open(tag=1800000000, config={"modules": ["aws"]}, window=1, planners=[PLANNER])
    return ledger


def test_a_run_of_today_has_no_key_that_an_earlier_worker_looks_for(client: redis.Redis, ledger: Ledger) -> None:
    """Those keys begin with the prefix: it finds no run, and drops the message as one of a run that was forgotten."""
    assert not [key for key in client.scan_iter(f"{UNVERSIONED_KEY}*") if ledger.run.encode() in key]


def test_a_run_of_a_later_version_is_left_alone(client: redis.Redis, ledger: Ledger, process: Process) -> None:
    """No attempt begins, so no crash is counted; `status` of that version names the workers that are behind."""
    client.hset(f"chartfleet:ledger:{ledger.run}", "version", "3")
    sent = Sent()
    text = "left to a worker of the ledger's version 3: this one's is 2"
    assert make_attempt(process, ledger.run, PLANNER, sent, lambda: False, planning.list_tenants) == text
    loading.load(process, ledger.run, sent, lambda: False)
    barrier.analyse(process, ledger.run)
    sweeper.sweep_once(process, sent)
    assert (ledger.cancel("by the test"), sent.messages) == ("unknown", [])
    client.hset(f"chartfleet:ledger:{ledger.run}", "version", VERSION)
    unit = ledger.unit(PLANNER)
    assert unit is not None
    assert (unit.state, unit.attempt, unit.crashes) == (State.PLANNED, 0, 0)
    assert ledger.state() is RunState.RUNNING
    assert report.of(ledger).notes == ["fetch-1@new leaves this run to other workers: its version of the ledger is 2"]


def test_the_sweeper_of_the_right_version_publishes_what_others_dropped(ledger: Ledger, process: Process) -> None:
    sent = Sent()
    process.settings = Settings.load({}, {"CHARTFLEET_REDELIVERY_GRACE_SECONDS": "0.5"})
    process.redis.zadd(f"chartfleet:ledger:{ledger.run}:published:aws", {PLANNER.id: 0})
    sweeper.sweep_once(process, sent)
    assert sent.messages == [(ledger.run, PLANNER)]


@contextmanager
def logging_kept() -> Iterator[None]:
    """A worker of Celery takes over the logging of its process, which here is the tests'."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        yield
    finally:
        root.handlers[:], root.level = handlers, level


def test_a_message_of_a_later_version_is_left_alone() -> None:
    """By a real worker, that takes its messages from a broker."""
    app = Celery("t", set_as_current=False, broker="memory://", backend="cache+memory://", task_cls=FleetTask)

    @app.task(name="work", shared=False)
    def work(run: str) -> str:
        return "done"

    with logging_kept(), start_worker(cast(Any, app), perform_ping_check=False):
        results = [
            app.send_task("work", args=("r",), headers=headers).get(timeout=20)
            for headers in ({}, {"chartfleet_ledger": VERSION}, {"chartfleet_ledger": "3"})
        ]
    assert results == ["done", "done", "left to a worker of the ledger's version 3: this one's is 2"]


def test_a_unit_that_is_settled_is_not_another_versions(ledger: Ledger, process: Process) -> None:
    ledger.cancel("by the test")
    work = planning.list_tenants
    assert make_attempt(process, ledger.run, PLANNER, Sent(), lambda: False, work) == NOTHING_TO_DO
