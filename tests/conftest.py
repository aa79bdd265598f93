"""Real services for every test that needs them: one embedded Neo4j and Redis per session, emptied before each test."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
import redis

from loaders.graph import Graph
from tasks.engine import registry
from workers import embedded


def pytest_configure() -> None:
    """A suite started in the background by a script ignores Ctrl-C; the commands that tests interrupt must not."""
    registry.only_own()  # a provider that is installed beside the checkout is not what its tests are about
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[embedded.Services]:
    directory = tmp_path_factory.mktemp("services")
    yield embedded.start(directory, say=print)
    embedded.stop(directory)


@pytest.fixture
def graph(services: embedded.Services) -> Iterator[Graph]:
    """An empty graph. Constraints and indexes stay: they are the same for every test."""
    graph = Graph.at(services.graph)
    graph.autocommit("MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 5000 ROWS")
    yield graph
    graph.close()


@pytest.fixture
def broker(services: embedded.Services) -> Iterator[redis.Redis]:
    """A broker without runs. Celery's own keys stay, as workers of other tests may listen."""
    client = redis.Redis.from_url(services.broker_url)
    for key in client.scan_iter("chartfleet:*"):
        client.delete(key)
    yield client
    client.close()
