"""`python -m benchmarks.loader` in small: both sides write the same, and nothing is left of what is deleted."""

from __future__ import annotations

from typing import Any

from benchmarks.loader import deleting, loading, scopes
from benchmarks.loader.interfaces import MODEL, Interfaces
from loaders.graph import Graph
from workers import embedded

ROWS = 60


def held(graph: Graph, interfaces: Interfaces) -> list[dict[str, Any]]:
    """The nodes of a scope: how many, with how many properties and relationships."""
    return graph.rows(
        f"MATCH (n:{MODEL.label} {{_scope: $scope}})-[e]-() WITH n, type(e) AS type, sum(size(keys(e))) AS facts "
        "RETURN type, count(n) AS nodes, sum(size(keys(n))) AS properties, sum(facts) AS facts ORDER BY type",
        {"scope": interfaces.scope.id},
    )


def test_the_loader_and_the_driver_write_the_same(services: embedded.Services, graph: Graph) -> None:
    loaded = loading.measure(services, ROWS, rows_per_batch=25)
    assert 0 < loaded.again.loader.clock < 1
    by_loader = held(graph, loading.LOADER)
    assert [row["nodes"] for row in by_loader] == [ROWS] * len(MODEL.references)
    assert held(graph, loading.DRIVER) == by_loader


def test_every_row_of_a_hub_is_attached_to_it(services: embedded.Services, graph: Graph) -> None:
    loading.measure_hub(services, ROWS)
    groups = "MATCH (t:EC2SecurityGroup) WITH t, COUNT { (t)--() } AS rows RETURN rows ORDER BY t.id"
    assert [row["rows"] for row in graph.rows(groups)] == [ROWS] * 4  # with and without a hub, so few make one group


def test_what_is_not_listed_any_more_is_deleted_by_both(services: embedded.Services) -> None:
    deleted = deleting.measure(services, ROWS)
    assert 0 < deleted.bare.clock < 1


def test_scopes_cost_the_loader_something_even_if_they_hold_nothing(services: embedded.Services) -> None:
    costs = scopes.measure(services, 20)
    assert len(costs) == 4
    assert all(cost.drain.clock < 1 and 0 < cost.coverage.clock < 1 for cost in costs.values())
