"""A document of OpenGraph is written element by element, and its file is complete or not there."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loaders.errors import ChartfleetError
from workers.report import opengraph_file

NODE: dict[str, Any] = {"id": "1", "kinds": ["AWSRole"], "properties": {}}
EDGE: dict[str, Any] = {"start": {"value": "1"}, "end": {"value": "1"}, "kind": "CAN_READ", "properties": {}}


@pytest.mark.parametrize("elements", [[], [NODE], [EDGE], [EDGE, NODE, EDGE, NODE]])
def test_nodes_and_edges_may_come_in_any_order(elements: list[dict[str, Any]], tmp_path: Path) -> None:
    written = opengraph_file.write(str(tmp_path / "graph.json"), "Chartfleet", elements)
    graph = json.loads((tmp_path / "graph.json").read_text())["graph"]
    assert graph == {"nodes": [NODE] * written.nodes, "edges": [EDGE] * written.edges}
    assert written.nodes + written.edges == len(elements)


def test_what_fails_leaves_the_file_of_before(tmp_path: Path) -> None:
    def failing() -> Iterator[dict[str, Any]]:
        yield NODE
        raise RuntimeError("the graph went away")

    (tmp_path / "graph.json").write_text("before")
    with pytest.raises(RuntimeError):
        opengraph_file.write(str(tmp_path / "graph.json"), "Chartfleet", failing())
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("graph.json", "before")]


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ChartfleetError, match=r"none/graph\.json: can't be written: No such file"):
        opengraph_file.write(str(tmp_path / "none" / "graph.json"), "Chartfleet", [])


def test_it_holds_no_more_than_an_element(tmp_path: Path) -> None:
    elements = (element for _ in range(20_000) for element in (NODE, EDGE))
    tracemalloc.start()
    try:
        opengraph_file.write(str(tmp_path / "graph.json"), "Chartfleet", elements)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2_000_000 < (tmp_path / "graph.json").stat().st_size
