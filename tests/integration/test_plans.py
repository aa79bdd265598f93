"""Neo4j's plans of what runs at the barrier, in a graph with nodes of every type: none grows faster than the graph."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing

import pytest

from analysis import engine, links, shipped
from analysis.iam import assume_role
from benchmarks.graph_growth import plans
from benchmarks.graph_growth.estate import TAG, nodes_per_cell
from benchmarks.graph_growth.fill import fill, units
from benchmarks.graph_growth.recording import RecordingGraph
from benchmarks.graph_growth.steps import steps
from loaders import coverage
from loaders.graph import Graph
from loaders.model import IdLink, Link
from loaders.schema import GraphSchema
from loaders.scope import Scope
from tasks.engine import registry
from tests.fleet.ledger_records import run_info
from workers import embedded
from workers.fleet import judging

SCHEMA = registry.schema()
PAGE = {"after": "", "limit": 400}  # the parameters of a link


@pytest.fixture
def recording(services: embedded.Services, graph: Graph) -> Iterator[RecordingGraph]:
    """Empty, as `graph` is."""
    with closing(RecordingGraph.at(services.graph)) as recording:
        yield recording


def estate(graph: RecordingGraph, cells: int) -> list[Scope]:
    return fill(graph, SCHEMA, cells * nodes_per_cell(SCHEMA))


def faults(graph: RecordingGraph, statements: Mapping[str, Mapping[str, object]]) -> list[str]:
    indexed = plans.indexed(graph)
    return [
        f"{fault} in:\n{statement}"
        for statement, parameters in statements.items()
        for fault in plans.faults(plans.Operator.of(graph.explain(statement, parameters, anew=True)), indexed)
    ]


def link_statements(graph: RecordingGraph) -> dict[str, list[str]]:
    """By name, of every link that there is."""
    types = {relationship.type for model in SCHEMA.models for relationship in model.relationships}
    found = links.statements(SCHEMA, graph.labels(), types)
    return {link.name: [text for text in (link.delete, link.merge) if text] for link in found}


def of_each_shape(schema: GraphSchema) -> Iterable[str]:
    """The names of links, one of each kind of statement."""
    shapes: dict[tuple[object, ...], str] = {}
    for model in schema.models:
        declared: list[IdLink | Link] = [*model.id_links, *model.links]
        for link in declared:
            ends = (model is model.identity, schema.target(link) is schema.target(link).identity)
            kind = (link.incoming,) if isinstance(link, IdLink) else (bool(link.within), bool(link.through))
            shapes.setdefault((type(link), *kind, *ends), f"{model.label} {link.type} {link.label}")
    return shapes.values()


def test_links_and_jobs_use_indexes_and_read_nothing_again_for_each_row(recording: RecordingGraph) -> None:
    """Of the links, one of each shape."""
    estate(recording, cells=2)
    of_links = link_statements(recording)
    statements = {text: PAGE for name in of_each_shape(SCHEMA) for text in of_links[name]}
    for job in shipped.jobs():
        for text in (*(one.query for one in job.statements), *([job.findings.query] if job.findings else [])):
            statements[text] = {"UPDATE_TAG": 1, "LIMIT_SIZE": 100}
    assert not faults(recording, statements)


def test_rules_use_indexes_and_read_nothing_again_for_each_row(recording: RecordingGraph) -> None:
    estate(recording, cells=2)
    statements: dict[str, dict[str, object]] = {
        query: {} for rule in judging.shipped() for query in (rule.query, rule.unknown) if query
    }
    assert not faults(recording, statements)


def test_a_verdict_reads_the_coverage_of_its_own_types_alone(recording: RecordingGraph, indexed: None) -> None:
    """There is a scope for each account, region and type."""
    scopes = [Scope(type=name, tenant=str(number)) for name in registry.types() for number in range(50)]
    coverage.write(recording, run_info("1-plans", TAG), units(scopes), now_ms=0)
    recording.autocommit("CALL db.resampleOutdatedIndexes()")
    recording.statements.clear()
    assert engine.concerns(recording, assume_role.JOB)
    engine.verdict(recording, assume_role.JOB, TAG)
    assert [
        statement
        for statement, parameters in recording.statements.items()
        for operator, _ in plans.Operator.of(recording.explain(statement, parameters, anew=True)).with_ancestors()
        if operator.is_scan and ":SyncScope" in operator.details
    ] == []


@pytest.mark.long
def test_no_statement_after_loading_is_planned_to_grow_faster_than_the_graph(recording: RecordingGraph) -> None:
    """Of a run and the next one: the cleanup of every type, coverage, retirement, every link, every job and verdict."""
    scopes = estate(recording, cells=10)
    recording.statements.clear()
    for run in ("1-plans", "2-plans"):
        for _, step in steps(recording, SCHEMA, scopes, run):
            step()
    assert not faults(recording, dict(recording.statements))
