"""Messages as Celery and Flower see them."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from celery import Celery
from kombu import Message

from loaders.ledger import Event
from loaders.scope import Scope
from workers.fleet.configuration import configuration
from workers.fleet.publisher import Publisher
from workers.settings.settings import Settings

VPCS = Scope(type="aws.ec2.vpcs", tenant="123456789012", region="us-east-1")


def application(**changes: object) -> Celery:
    app = Celery(set_as_current=False)
    app.conf.update(configuration(Settings.load({}, {})) | {"broker_transport_options": {}} | changes)
    return app


@pytest.fixture
def app() -> Iterator[Celery]:
    """With a broker in memory."""
    app = application(broker_url="memory://", result_backend="cache+memory://")
    yield app
    app.close()


def message(app: Celery, queue: str) -> Message:
    with app.connection_for_read() as connection, connection.SimpleQueue(queue) as messages:
        received: Message = messages.get(timeout=5)
        received.ack()
        return received


def test_a_scope_shows_its_tenant_region_and_run(app: Celery) -> None:
    Publisher(app).publish_scopes("1-run", [VPCS])
    received = message(app, "fetch.aws")
    assert received.headers["task"] == "aws.ec2.vpcs"
    assert received.headers["argsrepr"] == "123456789012/us-east-1 (run 1-run)"
    assert received.decode()[0] == ["1-run", VPCS.id]


@pytest.mark.parametrize(
    ("event", "task", "queue"),
    [
        (Event.LOAD, "chartfleet.load", "loader"),
        (Event.BARRIER, "chartfleet.analyse", "loader"),
        (Event.ADMIT, "chartfleet.admit", "coordinator"),
    ],
)
def test_an_event_becomes_the_task_that_follows(app: Celery, event: Event, task: str, queue: str) -> None:
    Publisher(app).publish_events("1-run", [event])
    received = message(app, queue)
    assert (received.headers["task"], received.decode()[0]) == (task, ["1-run"])


def test_a_broker_that_is_away_is_left_to_the_sweeper(caplog: pytest.LogCaptureFixture) -> None:
    app = application(broker_url="redis://127.0.0.1:1/0", task_publish_retry=False)
    with caplog.at_level(logging.WARNING):
        Publisher(app).publish_scopes("1-run", [VPCS])
    assert "run 1-run: a message wasn't sent" in caplog.text
