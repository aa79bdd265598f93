"""The providers as the contract tests see them: the responses of one sample, over HTTP; and a graph with every
index.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from loaders import indexes
from loaders.graph import Graph
from loaders.ledger import RunState
from tasks.clients import client, graphql_api
from tasks.engine import registry
from tasks.resource import ResourceType
from tests.contract import event_loop, providers
from tests.contract import judged as judging
from tests.contract.judged import RULE, Judged
from tests.contract.loading import Runs, of_another_tenant
from tests.contract.samples import has_other, other_sample, sample
from tests.contract.stand_in import StandIn
from tests.fleet.short_lived_graph import empty
from workers import embedded
from workers.fleet import barrier
from workers.fleet.process import Process
from workers.settings.settings import Settings

PASSWORD = "CHARTFLEET_TEST_PAGES_PASSWORD"  # the name of a variable


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files whose tests look at the graph of the samples come first, one after the other: it is loaded once."""
    here = [number for number, item in enumerate(items) if Path(__file__).parent in item.path.parents]
    first = {items[number].path for number in here if "samples" in getattr(items[number], "fixturenames", ())}
    in_order = sorted((items[number] for number in here), key=lambda item: item.path not in first)
    for number, item in zip(here, in_order, strict=True):
        items[number] = item


@pytest.fixture(scope="package", autouse=True)
def short_pauses() -> Iterator[None]:
    """Between attempts at a call whose response can't be read. How long they are has tests of its own."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(client, "MAX_BACKOFF_SECONDS", 0.1)
        patched.setattr(graphql_api, "RETRY_SECONDS", (0.1, 0.1, 0.1))
        yield


@pytest.fixture(scope="session", autouse=True)
def one_event_loop() -> Iterator[None]:
    yield
    event_loop.close()


@pytest.fixture(scope="module")
def stand_ins() -> Iterator[dict[str, StandIn]]:
    """Every provider, by name."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(providers.running(name)) for name in registry.providers()}


@pytest.fixture
def stand_in(type_: ResourceType, stand_ins: dict[str, StandIn]) -> Iterator[StandIn]:
    """The provider of the type that a test is about."""
    found = stand_ins[type_.provider]
    yield found
    found.forget()


@pytest.fixture(scope="module")
def indexed(services: embedded.Services) -> None:
    graph = Graph.at(services.graph)
    indexes.ensure(graph, registry.schema())
    graph.close()


@pytest.fixture(scope="session")
def sample_runs() -> list[tuple[str, int]]:
    """What the graph was left with by the run over the samples: that run, and how many nodes; the last one counts."""
    return []


@pytest.fixture(scope="module")
def samples(
    services: embedded.Services, indexed: None, stand_ins: dict[str, StandIn], sample_runs: list[tuple[str, int]]
) -> Iterator[Graph]:
    """A graph with the samples of all types, as one run leaves it; an earlier file's, if it is untouched."""
    with closing(Graph.at(services.graph)) as graph:
        if contents(graph) not in sample_runs:
            load_samples(graph, services, stand_ins)
            sample_runs[:] = [contents(graph)]
        yield graph


def contents(graph: Graph) -> tuple[str, int]:
    """The newest run, and how many nodes there are."""
    [row] = graph.rows("MATCH (n) RETURN max(CASE WHEN n:SyncRun THEN n.id END) AS run, count(n) AS nodes")
    return str(row["run"]), row["nodes"]


def load_samples(graph: Graph, services: embedded.Services, stand_ins: dict[str, StandIn]) -> None:
    address = services.graph
    values = {
        "broker_url": services.broker_url,
        "neo4j_uri": address.uri,
        "neo4j_user": address.user,
        "neo4j_password_env_var": PASSWORD,
    }
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(PASSWORD, address.password or "")
        empty(graph)
        process = Process(Settings.load({}, {}).with_values(values, "test"))
        for key in process.redis.scan_iter("chartfleet:*"):
            process.redis.delete(key)
        with closing(process.writer), closing(process.redis):
            assert process.writer.acquire()
            runs = Runs(process.writer, process.redis, stand_ins)
            with ExitStack() as others:
                for stand_in in stand_ins.values():
                    others.enter_context(of_another_tenant(stand_in))
                runs.load({type_.name: other_sample(type_) for type_ in filter(has_other, registry.types().values())})
            ledger = runs.load({type_.name: sample(type_) for type_ in registry.types().values()})
            barrier.analyse(process, ledger.run)
            info = ledger.info()
            assert info is not None
            assert (info.state, info.report["failed_jobs"]) == (RunState.COMPLETE, [])


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    (tmp_path / "own-plain-database.yaml").write_text(RULE)
    return tmp_path


@pytest.fixture
def judged(
    indexed: None,
    services: embedded.Services,
    stand_ins: dict[str, StandIn],
    rules: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Judged]:
    monkeypatch.setenv(judging.PASSWORD, services.graph.password or "")
    with closing(Judged(services, stand_ins, rules)) as judged:
        yield judged
