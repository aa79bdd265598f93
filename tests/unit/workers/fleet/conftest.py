"""A broker of their own for tests that fill its memory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from workers.embedded.broker import Broker, start_broker


@pytest.fixture(scope="module")
def own_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    broker = start_broker(tmp_path_factory.mktemp("broker"))
    yield broker
    broker.stop()


@pytest.fixture
def client(own_broker: Broker) -> Iterator[redis.Redis]:
    """Of that broker: empty, and without a limit of its memory."""
    client = redis.Redis.from_url(own_broker.url)
    client.config_set("maxmemory", 0)
    client.flushall()
    yield client
    client.config_set("maxmemory", 0)
    client.close()
