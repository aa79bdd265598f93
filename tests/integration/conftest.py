"""What most tests of the graph begin with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from loaders import indexes
from loaders.graph import Graph
from loaders.writer import Writer
from tasks.engine import registry
from workers import embedded


@pytest.fixture(scope="module")
def indexed(services: embedded.Services) -> None:
    """The graph has the constraints and indexes of all declarations."""
    graph = Graph.at(services.graph)
    indexes.ensure(graph, registry.schema())
    graph.close()


@pytest.fixture
def writer(services: embedded.Services, graph: Graph) -> Iterator[Writer]:
    """The writer of an empty graph."""
    writer = Writer(services.graph.driver(), services.graph.database)
    assert writer.acquire()
    yield writer
    writer.close()
