"""Workers of one host that nobody named have distinct names; those that share a name are reported."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from celery import Celery

from tests.fleet.command import Command
from tests.fleet.running import wait_for
from workers import embedded
from workers.fleet.configuration import configuration
from workers.fleet.fleet_readiness import FleetReadiness, ask_fleet
from workers.settings.settings import RunConfig, Settings

HOST = socket.gethostname()
START_SECONDS = 120


@pytest.fixture
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[embedded.Broker]:
    broker = embedded.start_broker(tmp_path_factory.mktemp("broker"))
    yield broker
    broker.stop()


@pytest.fixture
def chartfleet(broker: embedded.Broker, tmp_path_factory: pytest.TempPathFactory) -> Command:
    return Command(tmp_path_factory.mktemp("named"), {"CHARTFLEET_BROKER_URL": broker.url})


@pytest.fixture
def app(broker: embedded.Broker) -> Celery:
    """A client of the same broker."""
    client = Celery("names", set_as_current=False)
    client.conf.update(configuration(Settings.load({}, {}).with_values({"broker_url": broker.url}, "test")))
    return client


def asked(app: Celery) -> FleetReadiness:
    config = RunConfig(modules=[], options={}, analysis_job_directory=None, expected_gaps=[])
    return ask_fleet(app, config, seconds=3)


@contextmanager
def worker(chartfleet: Command, *arguments: str) -> Iterator[None]:
    process = chartfleet.start("worker", *arguments, "--concurrency", "1", "--", "--pool", "threads")
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def test_workers_that_nobody_named_have_distinct_names(chartfleet: Command, app: Celery) -> None:
    with ExitStack() as stack:
        for queues in ("coordinator", "fetch.aws", "fetch.aws"):
            stack.enter_context(worker(chartfleet, "--queues", queues))
        wait_for(lambda: len(asked(app).workers) == 3, seconds=START_SECONDS)
        fleet = asked(app)
        assert sorted(name.rpartition("-")[0] for name in fleet.workers) == ["coordinator", "fetch-aws", "fetch-aws"]
        assert fleet.lacks(["aws"]) == ["loader"]
        assert list(fleet.notes) == []
        health = chartfleet("health", "worker")
        assert health.code == 0
        assert sorted(health.out.strip().split("; ")) == [f"{name}: 0 of 1 at work" for name in sorted(fleet.workers)]
    health = chartfleet("health", "worker")
    assert (health.code, health.error) == (1, f"chartfleet: no worker of {HOST} responds")


def test_workers_that_share_a_name_are_reported(chartfleet: Command, app: Celery) -> None:
    """The queues of each of them count."""
    with ExitStack() as stack:
        for queues in ("coordinator", "fetch.aws"):
            stack.enter_context(worker(chartfleet, "--queues", queues, "--hostname", "one"))
        wait_for(lambda: len(asked(app).workers) == 2, seconds=START_SECONDS)
        fleet = asked(app)
        assert fleet.lacks(["aws"]) == ["loader"]
        (note,) = fleet.notes
        assert note.startswith(f"2 workers are named one@{HOST}: give each a --hostname of its own")
