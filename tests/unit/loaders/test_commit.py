"""What the loader sends to Neo4j for a page of rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from loaders.batch import Row, row_of
from loaders.graph import Graph
from loaders.loader import Loader
from loaders.model import Node, key, prop
from loaders.rejected import RejectedRow
from loaders.schema import GraphSchema
from loaders.scope import Scope

SCOPE = Scope(type="toy.hosts", tenant="1")


class Host(Node, label="Host"):
    id: str = key("id")
    name: str = prop("name")


class Recorder(Graph):
    """A graph and its transaction: keeps the parameters of each statement."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def write(self, work: Callable[[Any], Any]) -> Any:
        return work(self)

    def run(self, _: str, **parameters: Any) -> Recorder:
        self.sent.append(parameters)
        return self

    def consume(self) -> None:
        pass


def sent(row: Row) -> list[Any]:
    """The rows of each statement that has some."""
    graph = Recorder()
    loader = Loader(graph, GraphSchema({SCOPE.type: [Host]}))
    assert not loader.load_again([RejectedRow.of("toy.hosts:Host", row, "why")], tag=1)
    return [parameters["rows"] for parameters in graph.sent if "rows" in parameters]


ROW = row_of(Host.model, {"id": "h-1", "name": "web"}, [], SCOPE, None)


def test_properties_are_sent_with_the_statement_that_loads_them_and_no_other() -> None:
    assert sent(ROW) == [[{"k": "h-1", "s": SCOPE.id}], [ROW]]


def test_the_driver_has_no_text_to_make_of_rows() -> None:
    """It makes one of all parameters, whether or not it logs them."""
    assert [str(rows) for rows in sent(ROW)] == ["<1 rows>", "<1 rows>"]
