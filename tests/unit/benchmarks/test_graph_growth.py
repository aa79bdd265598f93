"""The synthetic estate of a benchmark, and what it takes for a fault in a plan."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from benchmarks.graph_growth import estate, plans, values
from tasks.engine import registry

CELLS = 8  # so many that chance gives each link an end


@pytest.fixture(scope="module")
def cells() -> list[estate.Cell]:
    schema = registry.schema()
    return list(estate.cells(schema, CELLS * estate.nodes_per_cell(schema)))


def test_an_estate_has_nodes_of_every_model_and_edges_of_every_reference(cells: list[estate.Cell]) -> None:
    schema = registry.schema()
    assert {vertex.model.label for cell in cells for vertex in cell.vertices} == schema.by_label.keys()
    drawn = {edge.type for cell in cells for edge in cell.edges}
    assert drawn == {reference.type for model in schema.models for reference in model.references}


def test_no_two_nodes_have_the_same_identity(cells: list[estate.Cell]) -> None:
    keys = Counter((vertex.model.identity.label, vertex.key) for cell in cells for vertex in cell.vertices)
    assert [key for key, count in keys.items() if count > 1] == []


def test_every_link_finds_an_end(cells: list[estate.Cell]) -> None:
    """Of links by value: that a property has another node's value. Of a record's: that it has a node's."""
    schema = registry.schema()
    having: dict[tuple[str, str], set[Any]] = {}
    for cell in cells:
        for vertex in cell.vertices:
            for label in vertex.labels:
                for name, found in vertex.properties.items():
                    if isinstance(found, str):
                        having.setdefault((label, name), set()).add(found)
    for model in schema.models:
        for link in model.links:
            compared = link.through[0] if link.through else link.label
            for mine, theirs in link.on:
                found = having.get((model.label, mine), set()) & having.get((compared, theirs), set())
                assert link.within or found, f"{model.label}.{mine} is never {compared}.{theirs}"


def test_the_same_estate_is_generated_each_time(cells: list[estate.Cell]) -> None:
    schema = registry.schema()
    again = list(estate.cells(schema, CELLS * estate.nodes_per_cell(schema)))
    assert [vertex.properties for vertex in again[2].vertices] == [vertex.properties for vertex in cells[2].vertices]


def test_an_estate_can_be_a_single_tenants() -> None:
    schema = registry.schema()
    nodes = 4 * estate.nodes_per_cell(schema)
    (cell,) = estate.cells(schema, nodes, one_tenant=True)
    assert 0.9 * nodes < len(cell.vertices) < 1.1 * nodes
    assert sum(vertex.model.label == "AWSAccount" for vertex in cell.vertices) == 1


def test_values_are_said_for_properties_that_models_have() -> None:
    by_label = registry.schema().by_label
    assert values.unknown_names(by_label) == []
    assert estate.COUNTS.keys() <= by_label.keys()
    properties = {f"{label}.{p.name}" for label, model in by_label.items() for p in model.properties}
    assert {*estate.EQUAL, *(".".join(other) for other in estate.EQUAL.values())} <= properties


def plan(name: str, details: str = "", *children: dict[str, Any]) -> dict[str, Any]:
    return {"operatorType": f"{name}@neo4j", "args": {"Details": details}, "children": list(children)}


SCAN = plan("NodeByLabelScan", "t:EC2Instance")
ROWS = plan("Unwind", "n.ids AS k", plan("NodeByLabelScan", "n:LoadBalancer"))
SEEK = plan("NodeUniqueIndexSeek", "UNIQUE t:EC2Instance(id) WHERE id = k")


@pytest.mark.parametrize(
    ("tree", "fault"),
    [
        (plan("AllNodesScan", "n"), "AllNodesScan n"),
        (plan("Filter", "t.id = $id", SCAN), "NodeByLabelScan t:EC2Instance, although EC2Instance.id is indexed"),
        (plan("Apply", "", ROWS, plan("Filter", "t.name = k", SCAN)), "NodeByLabelScan t:EC2Instance for each row of"),
        (plan("CartesianProduct", "", ROWS, SCAN), "CartesianProduct"),
        (plan("Filter", "t.name = $name", SCAN), ""),
        (plan("Filter", "NOT coalesce(t.id = $id, false)", SCAN), ""),
        (plan("Apply", "", ROWS, SEEK), ""),
        (plan("CartesianProduct", "", SEEK, SEEK), ""),
        (plan("Apply", "", plan("EagerAggregation", "count(n) AS c", ROWS), SCAN), ""),
        (plan("Apply", "", plan("EagerAggregation", "n.x AS x, count(n) AS c", ROWS), SCAN), "NodeByLabelScan"),
    ],
)
def test_a_plan_that_grows_faster_than_the_graph_is_at_fault(tree: dict[str, Any], fault: str) -> None:
    found = list(plans.faults(plans.Operator.of(tree), {("EC2Instance", "id")}))
    assert bool(found) is bool(fault), found
    assert not fault or found[0].startswith(fault)
