"""The export for BloodHound, of the graph of all samples: what BloodHound takes, and all that can be traversed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from analysis.opengraph import traversable
from loaders.graph import Graph
from tasks.engine import registry
from tests.contract import opengraph_rules
from tests.fleet.command import Command, Ended
from tests.fleet.running import graph_variables
from workers import embedded


@pytest.fixture(scope="module")
def ended(samples: Graph, services: embedded.Services, tmp_path_factory: pytest.TempPathFactory) -> Ended:
    return Command(tmp_path_factory.mktemp("export"), graph_variables(services.graph))("export", "--opengraph", "-")


@pytest.fixture(scope="module")
def document(ended: Ended) -> Any:
    assert ended.code in (0, 3), ended.err
    return json.loads(ended.out)


def test_bloodhound_takes_it(document: Any) -> None:
    opengraph_rules.check(document)
    assert document["metadata"] == {"source_kind": "Chartfleet"}


@pytest.mark.parametrize("one", traversable.declared(), ids=lambda one: f"{one.start}-{one.type}-{one.end}")
def test_the_relationship_is_there(one: traversable.Traversable, document: Any, samples: Graph) -> None:
    start, type_, end = one.written
    [row] = samples.rows(f"MATCH (:{start})-[r:{type_}]->(:{end}) RETURN count(r) AS count")
    labels = [registry.schema().by_label[label].identity.label for label in (one.start, one.end)]
    edges = [
        edge
        for edge in document["graph"]["edges"]
        if [edge[end]["value"].partition(":")[0] for end in ("start", "end")] == labels and edge["kind"] == one.kind
    ]
    assert row["count"] > 0
    assert len(edges) >= row["count"]


def test_each_node_and_edge_has_its_age(document: Any) -> None:
    graph = document["graph"]
    of_graph = [one for one in (*graph["nodes"], *graph["edges"]) if "NotSeen" not in one.get("kinds", ())]
    assert of_graph
    assert [one for one in of_graph if "seen_at" not in one["properties"]] == []


def test_it_has_nothing_internal(document: Any) -> None:
    graph = document["graph"]
    names = {name for one in (*graph["nodes"], *graph["edges"]) for name in one["properties"]}
    assert not [name for name in names if name.startswith("_")]


def test_a_file_is_complete_or_not_there(tmp_path: Path) -> None:
    ended = Command(tmp_path, {})("export", "--opengraph", "graph.json", "--neo4j-uri", "bolt://127.0.0.1:1")
    assert ended.code == 1
    assert list(tmp_path.iterdir()) == []
