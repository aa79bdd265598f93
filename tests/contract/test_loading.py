"""What the samples of all types become in a real graph.

The types whose tests are selected are loaded together, as in a run: `-k rds` loads those of that name alone.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import Any

import pytest
import redis

from loaders.batch import Row
from loaders.coverage import status
from loaders.graph import Graph
from loaders.ledger import State as LedgerState
from loaders.model import Link, NodeModel, Relationship
from loaders.scope import Scope
from loaders.writer import Writer
from tasks.engine import registry
from tasks.resource import ResourceType
from tests.contract.elements import Elements
from tests.contract.faults import FAULTS, Fault
from tests.contract.loading import NEIGHBOUR, Runs, linked, neighbours, of_another_tenant
from tests.contract.samples import Rows, ends, half, rows_over_http, sample, scope_of
from tests.contract.stand_in import StandIn
from tests.fleet.graph_state import State as GraphState
from tests.fleet.graph_state import difference, elements, graph_state
from workers import embedded

pytestmark = pytest.mark.timeout(1200)  # the six runs, of all types, are the first test's

every_type = pytest.mark.parametrize("type_", registry.types().values(), ids=registry.types().keys())
COVERAGE = "MATCH (s:SyncScope) RETURN s {.id, .status, .reason, .gaps, .complete_at} AS scope"
Problems = dict[str, list[str]]  # by name of the type, or "" where that can't be told


@dataclass
class Seen:
    """What was wrong after each run."""

    loaded: Problems = field(default_factory=lambda: defaultdict(list))
    again: Problems = field(default_factory=lambda: defaultdict(list))
    another: Problems = field(default_factory=lambda: defaultdict(list))
    not_seen: dict[str, Problems] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    cleaned: Problems = field(default_factory=lambda: defaultdict(list))
    left: Problems = field(default_factory=lambda: defaultdict(list))


def check(problems: Problems, type_: ResourceType) -> None:
    found = problems.get(type_.name, []) + problems.get("", [])
    assert not found, "\n".join(found)


@every_type
def test_its_rows_are_nodes_and_relationships(type_: ResourceType, seen: Seen) -> None:
    check(seen.loaded, type_)


@every_type
def test_loading_the_same_again_changes_no_more_than_lastupdated(type_: ResourceType, seen: Seen) -> None:
    check(seen.again, type_)


@every_type
def test_another_tenant_that_has_none_deletes_nothing_of_it(type_: ResourceType, seen: Seen) -> None:
    check(seen.another, type_)


@pytest.mark.parametrize("fault", FAULTS)
@every_type
def test_what_is_not_seen_stays_and_is_known_as_not_seen(type_: ResourceType, fault: str, seen: Seen) -> None:
    check(seen.not_seen[fault], type_)


@every_type
def test_what_is_gone_is_cleaned_as_if_it_had_never_been(type_: ResourceType, seen: Seen) -> None:
    check(seen.cleaned, type_)


@every_type
def test_nothing_is_left_when_everything_is_gone(type_: ResourceType, seen: Seen) -> None:
    check(seen.left, type_)


# --- the runs ---


@pytest.fixture(scope="module")
def seen(
    request: pytest.FixtureRequest,
    indexed: None,
    services: embedded.Services,
    stand_ins: dict[str, StandIn],
) -> Seen:
    """Runs: the samples, the same again, nothing of another tenant, one for each fault, half, nothing, and half of them
    in a graph that never had more.
    """
    collected = (
        getattr(item, "callspec", None)
        for item in request.session.items
        if getattr(item, "module", None) is request.module
    )
    types = {spec.params["type_"].name: spec.params["type_"] for spec in collected if spec}.values()
    graph, broker = Graph.at(services.graph), redis.Redis.from_url(services.broker_url)
    writer = Writer(services.graph.driver(), services.graph.database)
    with closing(graph), closing(broker), closing(writer):
        graph.write(lambda tx: tx.run("MATCH (n) DETACH DELETE n").consume())
        assert writer.acquire()
        return observe(list(types), graph, broker, Runs(writer, broker, stand_ins), stand_ins)


def observe(
    types: list[ResourceType], graph: Graph, broker: redis.Redis, runs: Runs, stand_ins: dict[str, StandIn]
) -> Seen:
    seen = Seen()
    rows = {type_.name: rows_over_http(type_, stand_ins[type_.provider], broker) for type_ in types}
    whole = {type_.name: sample(type_) for type_ in types}
    halves = {type_.name: half(type_, stand_ins[type_.provider]) for type_ in types}
    together: Rows = {}
    for of_type in rows.values():
        for model, found in of_type.items():
            together[model] = together.get(model, []) + found
    neighbours(graph, together)

    runs.run(whole)
    before = elements(graph)
    loaded = Elements(before)
    for type_ in types:
        seen.loaded[type_.name] = list(not_loaded(loaded, rows[type_.name], scope_of(type_, stand_ins[type_.provider])))

    runs.run(whole)
    after = elements(graph)
    for name in before.keys() | after.keys():
        if before.get(name) != after.get(name):
            scope = (after.get(name) or before[name])["properties"].get("_scope", "")
            seen.again[type_of(scope)].append(f"{before.get(name)} -> {after.get(name)}")

    with ExitStack() as others:
        for stand_in in stand_ins.values():
            others.enter_context(of_another_tenant(stand_in))
        runs.run(dict.fromkeys(whole))
    for name in after.keys() - elements(graph).keys():
        scope = after[name]["properties"].get("_scope", "")
        seen.another[type_of(scope)].append(f"another tenant's run deleted {after[name]}")

    for name, fault in FAULTS.items():
        for type_name, problem in after_fault(graph, fault, runs, types):
            seen.not_seen[name][type_name].append(problem)

    runs.run(halves)
    after_deletion = graph_state(graph)

    runs.run(dict.fromkeys(whole))
    for line in left_over(graph):
        seen.left[type_of(line)].append(f"nothing was listed, but this stayed: {line}")

    graph.write(lambda tx: tx.run("MATCH (n) WHERE NOT n:SyncGraph DETACH DELETE n").consume())
    neighbours(graph, together)
    runs.run(halves)
    for line in different(after_deletion, graph_state(graph)):
        seen.cleaned[type_of(line)].append(f"after a deletion too much (+) or too little (-): {line}")
    return seen


def after_fault(graph: Graph, fault: Fault, runs: Runs, types: Collection[ResourceType]) -> Iterator[tuple[str, str]]:
    """What a run in which no type was seen did wrong; each with the type."""
    before, covered = elements(graph), coverage_of(graph)
    units = runs.meet(fault, types)
    after, now = elements(graph), coverage_of(graph)
    for id_ in before.keys() - after.keys():
        yield type_of(before[id_]["properties"].get("_scope", "")), f"deleted: {before[id_]}"
    for unit in units:
        name, scope = unit.scope.type, now[unit.scope.id]
        if unit.state not in fault.ends(registry.types()[name]):
            yield name, f"it is {unit.state}: {unit.reason}"
        if scope["status"] != status(unit.state) or not (scope["reason"] or scope["gaps"]):
            yield name, f"its coverage says {scope}"
        if unit.state is not LedgerState.CLEANED and scope["complete_at"] != covered[unit.scope.id]["complete_at"]:
            yield name, "its coverage says that it was complete"


def coverage_of(graph: Graph) -> dict[str, dict[str, Any]]:
    return {row["scope"]["id"]: row["scope"] for row in graph.rows(COVERAGE)}


def type_of(text: str) -> str:
    """The type of the scope that the text of an element names."""
    found = re.search(rf"\b((?:{'|'.join(registry.providers())})\.[\w.]+)/", text)
    return found[1] if found else ""


def not_loaded(graph: Elements, rows: Rows, scope: Scope) -> Iterator[str]:
    """Rows that are no node with its labels and properties, or lack a relationship."""
    for model, found in rows.items():
        for row in found:
            node = graph.node((model.identity.label,), model.identity.key.name, row["k"])
            if node is None:
                yield f"no {model.label} {row['k']} in the graph"
                continue
            if not set(model.labels) <= set(node["labels"]):
                yield f"{model.label} {row['k']} has the labels {node['labels']}"
            for name, value in row["p"].items():
                if value is not None and node["properties"].get(name) != value:
                    yield f"{row['k']}.{name} is {node['properties'].get(name)!r}, expected {value!r}"
            if not model.shared and node["properties"]["_scope"] != scope.id:
                yield f"{row['k']} belongs to {node['properties']['_scope']}"
            for relationship in model.relationships:
                yield from _not_related(graph, model, relationship, row)


def _not_related(graph: Elements, model: NodeModel, relationship: Relationship, row: Row) -> Iterator[str]:
    target = registry.schema().target(relationship).identity
    incoming = not isinstance(relationship, Link) and relationship.incoming
    node = graph.node(model.labels, model.key.name, row["k"])
    others = graph.others(node, relationship.type, incoming=incoming) if node else []
    reached = {n["properties"].get(target.key.name) for n in others if set(target.spellings) <= set(n["labels"])}
    said = f"{model.label} {row['k']} -{relationship.type}- {relationship.label} reaches {reached}"
    if isinstance(relationship, Link):
        if bool(reached) != bool(linked(model, relationship, row)):
            yield said
    elif not set(ends(model, relationship, row)) <= reached:
        yield f"{said}, expected {ends(model, relationship, row)}"


def left_over(graph: Graph) -> Iterator[str]:
    nodes = "MATCH (n) WHERE n._scope IS NOT NULL AND n._scope <> $neighbour RETURN labels(n) AS what, n._scope AS of"
    edges = "MATCH ()-[e]->() WHERE e._scope IS NOT NULL RETURN type(e) AS what, e._scope AS of"
    for query in (nodes, edges):
        for row in graph.rows(query, {"neighbour": NEIGHBOUR}):
            yield f"{row['what']} of {row['of']}"


def different(found: GraphState, expected: GraphState) -> list[str]:
    """Of what many share only the identity is compared: it is as old as the first that named it, and keeps what others
    told of it.
    """
    return difference(*(Counter(map(_only_identity_of_shared, state.elements())) for state in (found, expected)))


def _only_identity_of_shared(line: str) -> str:
    return re.sub(r"\{.*\}", "shared", line) if '"_scope": "shared"' in line else line
