"""AWS as the contract tests see it: the answers of one sample, over HTTP; and a graph with every index."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from loaders import indexes
from loaders.graph import Graph
from tasks import registry
from tasks.aws import credentials
from tests.servers.answers import ACCOUNT, AnswerServer
from workers import embedded


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
