"""A Redis whose memory is full: workers go on receiving messages, what can't be published is published later."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import redis
from celery import Celery
from kombu import Consumer

from loaders.ledger import Event
from loaders.scope import Scope
from tasks.clients.rate_limiter import RateLimit, RedisRateLimiter
from workers.embedded.broker import Broker
from workers.fleet import transport
from workers.fleet.broker_memory import BrokerMemory, setting, shown
from workers.fleet.configuration import configuration
from workers.fleet.publisher import Publisher
from workers.settings.settings import Settings

VPCS = Scope(type="aws.ec2.vpcs", tenant="1111")


@pytest.fixture
def fill(client: redis.Redis) -> Callable[[], None]:
    """Too little memory for what is there already."""

    def full() -> None:
        client.set("filler", b"x" * 3_000_000)
        client.config_set("maxmemory", 1_000_000)

    return full


@pytest.fixture
def app(own_broker: Broker) -> Celery:
    transport.use()
    app = Celery("test", set_as_current=False)
    app.conf.update(configuration(Settings.load({}, {}).with_values({"broker_url": own_broker.url}, "test")))
    return app


def test_a_worker_notes_and_acknowledges_messages(app: Celery, client: redis.Redis, fill: Callable[[], None]) -> None:
    Publisher(app).publish_events("r1", [Event.LOAD])
    fill()
    received: list[Any] = []
    with app.connection() as connection, connection.channel() as channel:
        queue = app.amqp.queues["loader"](channel)
        with Consumer(channel, [queue], callbacks=[lambda _, message: received.append(message)], accept=["json"]):
            connection.drain_events(timeout=10)
            assert (client.llen("loader"), client.hlen("unacked"), client.zcard("unacked_index")) == (0, 1, 1)
            received[0].ack()
    assert client.exists("unacked", "unacked_index") == 0


def test_what_cannot_be_published_is_left_to_the_sweeper(
    app: Celery, client: redis.Redis, fill: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    fill()
    for _ in range(3):
        Publisher(app).publish_events("r1", [Event.LOAD])
        Publisher(app).publish_scopes("r1", [VPCS])
    assert client.llen("loader") == 0
    assert caplog.text.count("the sweeper publishes it again") == 6
    client.config_set("maxmemory", 0)
    Publisher(app).publish_events("r1", [Event.LOAD])
    assert client.llen("loader") == 1


def test_calls_are_still_limited(client: redis.Redis, fill: Callable[[], None]) -> None:
    async def call() -> None:
        limiter = RedisRateLimiter(client)
        await limiter.acquire("ec2", RateLimit(10, 10))
        await limiter.throttled("ec2", RateLimit(10, 10), None)
        async with limiter.slot("ec2", 2, patient=lambda: True):
            pass

    fill()
    asyncio.run(call())


def test_how_full_it_is(client: redis.Redis, fill: Callable[[], None]) -> None:
    assert BrokerMemory.of(client).problem == ""
    fill()
    assert "the broker's memory is full" in BrokerMemory.of(client).problem
    assert BrokerMemory(used=1_100_000_000, maximum=1_100_000_000).problem.endswith("maxmemory 2200mb`")
    assert (shown(1_100_000_000), shown(480), setting(1_234_000_000)) == ("1.1 GB", "480 B", "1300mb")
