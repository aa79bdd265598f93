"""What a run does to the graph once its rows are loaded: the cleanup of its scopes, and every step of the barrier."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from analysis import engine, links
from analysis.findings import record
from analysis.findings.evidence import Evidence
from analysis.findings.judge import judge
from analysis.findings.rule import Rule
from analysis.iam import assume_role
from analysis.iam import permissions as permission_relationships
from analysis.job import Job
from benchmarks.graph_growth.estate import TAG
from benchmarks.graph_growth.fill import units
from loaders import coverage, retirement
from loaders.cleanup import Cleanup
from loaders.graph import Graph
from loaders.retirement import Lists
from loaders.schema import GraphSchema
from loaders.scope import Scope
from tests.fleet.ledger_records import run_info
from workers.fleet import judging, permissions

Step = tuple[str, Callable[[], object]]
RUNS_KEPT = 3


def steps(graph: Graph, schema: GraphSchema, scopes: Sequence[Scope], run: str) -> Iterator[Step]:
    """In the order of a run. Each can be repeated; `run`: a run of its own for each pass, so that its jobs run."""
    info = run_info(run, TAG)
    yield "coverage", partial(coverage.write, graph, info, units(scopes), now_ms=0)
    yield from _cleanups(Cleanup(graph, schema), scopes)
    yield "retirement", partial(retirement.retire, graph, schema, Lists({}, {}), TAG, keep=RUNS_KEPT)
    for link in links.statements(schema, graph.labels(), graph.relationship_types()):
        yield f"link {link.name}", partial(links.update, graph, link)
    yield "shared nodes", Cleanup(graph, schema).delete_orphans
    yield from _jobs(graph, schema, run)
    yield from _rules(graph, schema)
    yield "old runs", partial(coverage.forget_old_runs, graph, keep=RUNS_KEPT)


def _cleanups(cleanup: Cleanup, scopes: Sequence[Scope]) -> Iterator[Step]:
    by_type = defaultdict[str, list[Scope]](list)
    for scope in scopes:
        by_type[scope.type].append(scope)
    for name, of_type in by_type.items():
        yield f"cleanup {name}", partial(cleanup.clean, of_type, TAG)


def _jobs(graph: Graph, schema: GraphSchema, run: str) -> Iterator[Step]:
    rules = permissions.rules(None)
    yield from _job(graph, assume_role.JOB, partial(assume_role.write, graph, TAG))
    write = partial(permission_relationships.write, graph, rules, schema, TAG)
    yield from _job(graph, permission_relationships.job(rules, schema), write)
    for job in engine.shipped_jobs():
        yield from _job(graph, job, partial(engine.run_shipped, graph, job, run, TAG))


def _rules(graph: Graph, schema: GraphSchema) -> Iterator[Step]:
    rules = judging.shipped()
    evidence = Evidence.read(graph, {type_ for rule in rules for type_ in rule.reads}, TAG)
    present = graph.labels()

    def judged(rule: Rule) -> None:
        judgements = judge(graph, [rule], schema, evidence, present=present, timeout_seconds=600)
        for judgement in judgements:
            record.write(graph, judgement, evidence, record.When(run="bench", tag=TAG, now_ms=0))

    for rule in rules:
        yield f"rule {rule.id}", partial(judged, rule)


def _job(graph: Graph, job: Job, write: Callable[[], object]) -> Iterator[Step]:
    yield f"job {job.name}", write
    if job.findings:
        yield f"findings {job.name}", partial(engine.verdict, graph, job, TAG)
