"""Workers of one host that nobody named are told apart; those that have one name are named as what they are."""

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
from workers.settings.settings import Settings

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
    """A client of the same broker; the workers' own code is what they run."""
    found = Celery("names", set_as_current=False)
    found.conf.update(configuration(Settings.load({}, {}).with_values({"broker_url": broker.url}, "test")))
    return found


def asked(app: Celery) -> FleetReadiness:
    return ask_fleet(app, [], {}, seconds=3)


@contextmanager
def worker(chartfleet: Command, *arguments: str) -> Iterator[None]:
    process = chartfleet.start("worker", *arguments, "--concurrency", "1", "--", "--pool", "threads")
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def test_workers_that_nobody_named_have_names_of_their_own(chartfleet: Command, app: Celery) -> None:
    with ExitStack() as stack:
        for queues in ("coordinator", "fetch.aws", "fetch.aws"):
            stack.enter_context(worker(chartfleet, "--queues", queues))
        wait_for(lambda: len(asked(app).workers) == 3, seconds=START_SECONDS)
        fleet = asked(app)
        assert sorted(name.rpartition("-")[0] for name in fleet.workers) == ["coordinator", "fetch-aws", "fetch-aws"]
        assert fleet.lacks(["aws"]) == ["loader"]
        assert list(fleet.notes) == []
        told = chartfleet("health", "worker")
        assert told.code == 0
        assert sorted(told.out.strip().split("; ")) == [f"{name}: 0 of 1 at work" for name in sorted(fleet.workers)]
    told = chartfleet("health", "worker")
    assert (told.code, told.error) == (1, f"chartfleet: no worker of {HOST} responds")


def test_workers_of_one_name_are_named_as_that(chartfleet: Command, app: Celery) -> None:
    """What each of them serves counts all the same."""
    with ExitStack() as stack:
        for queues in ("coordinator", "fetch.aws"):
            stack.enter_context(worker(chartfleet, "--queues", queues, "--hostname", "one"))
        wait_for(lambda: len(asked(app).workers) == 2, seconds=START_SECONDS)
        fleet = asked(app)
        assert fleet.lacks(["aws"]) == ["loader"]
        (told,) = fleet.notes
        assert told.startswith(f"2 workers are named one@{HOST}: give each a --hostname of its own")
