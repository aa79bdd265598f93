"""A worker that is up and responds, but consumes nothing after it connected to the broker again."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from celery import Celery

from tests.fleet.command import Command
from tests.fleet.running import wait_for
from workers.embedded.broker import Broker, start_broker
from workers.fleet import health
from workers.fleet.configuration import configuration
from workers.settings.settings import Settings

ROOT = str(Path(__file__).parents[2])
NAME = "deaf"


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    broker = start_broker(tmp_path_factory.mktemp("broker"))
    yield broker
    broker.stop()


@pytest.fixture(scope="module")
def settings(broker: Broker) -> Settings:
    return Settings.load({}, {}).with_values({"broker_url": broker.url}, "test")


@pytest.fixture(scope="module")
def app(settings: Settings) -> Celery:
    app = Celery("chartfleet-test", set_as_current=False)
    app.conf.update(configuration(settings))
    return app


@pytest.fixture(scope="module")
def client(broker: Broker) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(broker.url) as client:
        yield client


@pytest.fixture(scope="module")
def worker(
    broker: Broker, app: Celery, client: redis.Redis, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[None]:
    """A worker that is healthy."""
    variables = {"CHARTFLEET_BROKER_URL": broker.url, "PYTHONPATH": ROOT}
    options = ("--queues", "fetch.aws", "--hostname", NAME, "--", "--include", "tests.fleet.deaf", "--concurrency", "1")
    process = Command(tmp_path_factory.mktemp("worker"), variables).start("worker", *options)
    try:
        wait_for(lambda: health.worker(app, client, settings, NAME).healthy, seconds=90)
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.mark.usefixtures("worker")
def test_one_that_begins_nothing_is_noticed(app: Celery, client: redis.Redis, settings: Settings) -> None:
    """Before it goes deaf for good."""
    go_deaf(app, "no start")
    for _ in range(5):
        app.send_task("aws.ec2.vpcs", args=("1-none", "aws.ec2.vpcs/1/us-east-1"))
    wait_for_symptom(app, client, settings, "takes nothing from the queue fetch.aws, though a slot is free")


@pytest.mark.usefixtures("worker")
def test_its_health_check_says_so(app: Celery, client: redis.Redis, settings: Settings) -> None:
    go_deaf(app, "no poll")
    app.send_task("aws.ec2.vpcs", args=("1-none", "aws.ec2.vpcs/1/us-east-1"))
    app.send_task("aws.ec2.vpcs", args=("1-none", "aws.ec2.vpcs/1/us-east-1"))
    # Once the poll under way took one message.
    wait_for_symptom(app, client, settings, "takes nothing from the queue fetch.aws")
    client.delete("fetch.aws")
    go_deaf(app, "no queue")
    wait_for_symptom(app, client, settings, "is connected, but doesn't consume from the queue fetch.aws")


def wait_for_symptom(app: Celery, client: redis.Redis, settings: Settings, symptom: str) -> None:
    def unhealthy_with_it() -> bool:
        state = health.worker(app, client, settings, NAME)
        return not state.healthy and symptom in state.text

    wait_for(unhealthy_with_it, seconds=60)


def go_deaf(app: Celery, how: str) -> None:
    (reply,) = app.control.broadcast("test_go_deaf", arguments={"how": how}, reply=True, limit=1, timeout=10) or [{}]
    assert next(iter(reply.values())) == {"ok": how}
