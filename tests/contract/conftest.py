"""AWS as the contract tests see it: the answers of one sample, over HTTP; and a graph with every index."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from loaders import indexes
from loaders.graph import Graph
from loaders.ledger import RunState
from tasks import registry
from tasks.aws import credentials
from tests.contract.loading import Runs
from tests.contract.samples import sample
from tests.servers.answers import ACCOUNT, AnswerServer
from workers import barrier, embedded
from workers.process import Process
from workers.settings import Settings

PASSWORD = "CHARTFLEET_TEST_PAGES_PASSWORD"  # the name of a variable


@pytest.fixture(scope="module")
def server() -> Iterator[AnswerServer]:
    with AnswerServer() as running:
        yield running


@pytest.fixture(scope="module")
def aws(server: AnswerServer) -> Iterator[AnswerServer]:
    """AWS as this process sees it; its credentials are an account's number, as the server wants them."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
            patch.delenv(name, raising=False)
        patch.setenv("AWS_ACCESS_KEY_ID", ACCOUNT)
        patch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
        patch.setenv("AWS_ENDPOINT_URL", server.url)
        credentials.forget({})
        yield server
    credentials.forget({})


@pytest.fixture(scope="module")
def indexed(services: embedded.Services) -> None:
    graph = Graph.at(services.graph)
    indexes.ensure(graph, registry.schema())
    graph.close()


@pytest.fixture(scope="module")
def samples(services: embedded.Services, indexed: None, aws: AnswerServer) -> Iterator[Graph]:
    """A graph with the samples of all types, as one run leaves it."""
    address = services.graph
    values = {
        "broker_url": services.broker_url,
        "neo4j_uri": address.uri,
        "neo4j_user": address.user,
        "neo4j_password_env_var": PASSWORD,
    }
    with closing(Graph.at(address)) as graph, pytest.MonkeyPatch.context() as environment:
        environment.setenv(PASSWORD, address.password or "")
        graph.autocommit("MATCH (n) CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 5000 ROWS")
        process = Process(Settings.load({}, {}).with_values(values, "test"))
        for key in process.redis.scan_iter("chartfleet:*"):
            process.redis.delete(key)
        with closing(process.writer), closing(process.redis):
            assert process.writer.acquire()
            answers = {type_.name: sample(type_) for type_ in registry.of("aws")}
            ledger = Runs(process.writer, process.redis, aws).load(answers)
            barrier.analyse(process, ledger.run)
            info = ledger.info()
            assert info is not None
            assert (info.state, info.report["failed_jobs"]) == (RunState.COMPLETE, [])
        yield graph
