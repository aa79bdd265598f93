"""Real services for every test that needs them: one embedded Neo4j and Redis per session, emptied before each test.

The session is a worker's of pytest-xdist where there are several.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from hypothesis import settings

from loaders.graph import Graph
from tasks.engine import registry
from tests.fleet import short_lived_graph
from tests.fleet.command import FLEET_KEY
from tests.servers.certificates import Certificates, issue
from workers import embedded
from workers.embedded.graph import own_settings
from workers.embedded.process import write_private
from workers.settings import fleet_key

# The same examples each time, so that a change is judged by what it changes; `make test-long` draws others each time.
settings.register_profile("repeatable", derandomize=True, database=None)
settings.register_profile("random", print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "repeatable"))

pytest_plugins = ["tests.fleet.reaper", "tests.fleet.distribution"]

TLS_SETTINGS = """\
server.bolt.tls_level=OPTIONAL
dbms.ssl.policy.bolt.enabled=true
dbms.ssl.policy.bolt.client_auth=NONE
dbms.ssl.policy.bolt.base_directory={certificates}
"""


def pytest_configure() -> None:
    """A suite started in the background by a script ignores Ctrl-C; the commands that tests interrupt must not."""
    registry.only_own()  # a provider that is installed beside the checkout is not what its tests are about
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.setdefault("JDK_JAVA_OPTIONS", short_lived_graph.JAVA_OPTIONS)
    os.environ[fleet_key.VARIABLE] = FLEET_KEY


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Of the graph, which also takes connections without TLS; and of any other server on 127.0.0.1."""
    return issue(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def services_dir(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[Path]:
    directory = tmp_path_factory.mktemp("services")
    tls = TLS_SETTINGS.format(certificates=certificates.directory)
    write_private(own_settings(directory / "graph"), short_lived_graph.SETTINGS + tls)
    yield directory
    embedded.stop(directory)


@pytest.fixture(scope="session")
def services(services_dir: Path) -> embedded.Services:
    return embedded.start(services_dir, say=print)


@pytest.fixture(scope="session")
def broker_url(services_dir: Path) -> str:
    """For what needs no graph, which takes ten times as long to start."""
    return embedded.start(services_dir, graph=False, say=print).broker_url


@pytest.fixture
def graph(services: embedded.Services) -> Iterator[Graph]:
    """An empty graph. Constraints and indexes stay: they are the same for every test."""
    graph = Graph.at(services.graph)
    short_lived_graph.empty(graph)
    yield graph
    graph.close()


@pytest.fixture
def broker(broker_url: str) -> Iterator[redis.Redis]:
    """A broker without runs. Celery's own keys stay, as workers of other tests may listen."""
    client = redis.Redis.from_url(broker_url)
    for key in client.scan_iter("chartfleet:*"):
        client.delete(key)
    yield client
    client.close()
