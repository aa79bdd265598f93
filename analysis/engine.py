"""Runs analysis jobs: shipped jobs once per run and in one transaction each, users' own statement by statement."""

from __future__ import annotations

import functools
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from neo4j.exceptions import DatabaseUnavailable, Neo4jError

from analysis.coverage import coverage
from analysis.cypher35 import dropped_index
from analysis.finding import LISTED, Finding
from analysis.job import Job, Statement, in_order, load_jobs
from loaders.errors import ChartfleetError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Container, Iterator, Mapping, Sequence

    import neo4j

    from loaders.graph import Graph

SHIPPED: Final = Path(__file__).with_name("jobs")
MAX_ROUNDS: Final = 100_000  # of one iterative statement: with the usual 100 rows or more each, beyond any graph


class JobError(ChartfleetError):
    """A job that failed: its name, file and statement (from 1; 0 for its findings or reset), and the reason."""

    def __init__(self, job: Job, statement: int, message: str) -> None:
        super().__init__(f"{job}, {f'statement {statement}' if statement else 'outside its statements'}: {message}")
        self.job = job.name
        self.file = job.file
        self.statement = statement
        self.message = message


@functools.cache
def shipped_jobs() -> Sequence[Job]:
    """The jobs that come with Chartfleet, in the order that follows from what they read and write.

    All of them, regardless of the types that a run selects: they work on everything in the graph. Parsed once per
    process: that takes 0.2 s.
    """
    return tuple(in_order(load_jobs(SHIPPED, shipped=True)))


def user_jobs(directory: Path | str | None, known_types: Collection[str] | None = None) -> list[Job]:
    """The jobs of `--analysis-job-directory`, by path; none without the flag. Raises JobFileError.

    `known_types`: the resource types that a job may read, where they are to be checked.
    """
    return load_jobs(directory, known_types=known_types) if directory else []


def run_shipped(graph: Graph, job: Job, run_id: str, tag: int, *, present: Container[str] | None = None) -> bool:
    """Run the reset, the statements and the record of completion in one transaction: readers see old flags or new.

    `present`: the labels that nodes have, where the caller knows. A job that declares to write to others only is just
    recorded: Neo4j takes longer to plan a statement that finds nothing than to run it.
    False, without doing anything, if the run has recorded the job already.
    """
    number = 0
    labels = job.written_labels
    has_work = present is None or not labels or any(label in present for label in labels)

    def work(tx: neo4j.ManagedTransaction) -> bool:
        nonlocal number
        number = 0
        if _is_recorded(tx, job, run_id):
            return False
        if has_work:
            for query in _resets(job):
                _run(tx, query)
            for statement in job.statements:
                number += 1
                _in_transaction(tx, job, number, statement, tag)
            for query in _stale_relationships(job):
                _run(tx, query, {"UPDATE_TAG": tag})
        _run(tx, _RECORD, {"run": run_id, "job": job.name})
        return True

    with _reported(job, lambda: number):
        return graph.write(work)


def run_user(graph: Graph, job: Job, tag: int) -> None:
    """Run the statements of a user's job, each (or each round of an iterative one) in a transaction of its own."""
    for number, statement in enumerate(job.statements, start=1):
        _on_its_own(graph, job, number, statement, tag)


def concerns(graph: Graph, job: Job) -> bool:
    """Whether the graph knows every provider that the job reads. Without synced data there is nothing to judge."""
    providers = {type_.partition(".")[0] for type_ in job.reads}
    return {row["provider"] for row in graph.rows(_KNOWN, {"providers": sorted(providers)})} == providers


def verdict(graph: Graph, job: Job, tag: int) -> Finding:
    """What a job found, and what of its input was not seen. Raises JobError."""
    if job.findings is None:
        raise ValueError(f"{job} states no findings")
    with _reported(job, lambda: 0):
        rows = graph.rows(job.findings.query, {"UPDATE_TAG": tag})
    if len(rows) != 1 or type(rows[0].get("count")) is not int:
        raise JobError(
            job,
            0,
            "the findings query must return one row: count, examples, and optionally unknown, unknown_examples, total",
        )
    count: int = rows[0]["count"]
    seen = coverage(graph, job.reads, job.reads_also, tag)
    return Finding(
        job=job.name,
        title=job.findings.one if count == 1 else job.findings.name,
        count=count,
        examples=rows[0].get("examples") or [],
        unknown=rows[0].get("unknown") or 0,
        unknown_examples=(rows[0].get("unknown_examples") or [])[:LISTED],
        total=rows[0].get("total"),
        scopes=seen.scopes,
        not_seen=[(scope.place, scope.reason) for scope in seen.not_seen],
        causes=[scope.cause for scope in seen.not_seen],
        details=[(gap.place, gap.reason) for gap in seen.gaps],
        never_seen=list(seen.never_seen),
        never_asked=list(seen.never_asked),
        earlier=seen.earlier,
        meaning=job.findings.text,
    )


_KNOWN: Final = """
UNWIND $providers AS provider
WITH provider WHERE EXISTS {
  MATCH (scope:SyncScope) WHERE scope.type STARTS WITH provider + '.' AND scope.status <> 'skipped'
}
RETURN provider
"""

_RECORD: Final = "MATCH (run:SyncRun {id: $run}) SET run.jobs_done = run.jobs_done + $job"


def _is_recorded(tx: neo4j.ManagedTransaction, job: Job, run_id: str) -> bool:
    """Whether the run has recorded this job. Locks the run's node first, so that the second of two callers waits."""
    _run(tx, "MERGE (run:SyncRun {id: $run}) SET run._lock = true REMOVE run._lock", {"run": run_id})
    recorded = tx.run(
        "MATCH (run:SyncRun {id: $run}) SET run.jobs_done = coalesce(run.jobs_done, [])"
        " RETURN $job IN run.jobs_done AS recorded",
        {"run": run_id, "job": job.name},
    ).single(strict=True)
    return bool(recorded["recorded"])


def _resets(job: Job) -> Iterator[str]:
    """Remove the properties that the job sets, wherever they are set: a flag is only valid as long as its reason."""
    for label, properties in job.writes.items():
        is_set = " OR ".join(f"n.`{name}` IS NOT NULL" for name in properties)
        yield f"MATCH (n:`{label}`) WHERE {is_set} REMOVE {', '.join(f'n.`{name}`' for name in properties)}"


def _stale_relationships(job: Job) -> Iterator[str]:
    """Delete relationships that this run's statements did not write again; the others keep their `firstseen`.

    Not those that rows wrote, which have an owner, nor those of a node that no scope has seen, left by an earlier tool.
    """
    for start, type_, end in job.writes_relationships:
        yield (
            f"MATCH (n:`{start}`)-[r:`{type_}`]->(:`{end}`) WHERE n._scope IS NOT NULL AND r._scope IS NULL"
            " AND (r.lastupdated IS NULL OR r.lastupdated <> $UPDATE_TAG) DELETE r"
        )


def _in_transaction(tx: neo4j.ManagedTransaction, job: Job, number: int, statement: Statement, tag: int) -> None:
    parameters = statement.with_parameters({"UPDATE_TAG": tag})
    if statement.iterative:
        _repeat(job, number, lambda: _first_row(tx, statement.query, parameters))
    else:
        _run(tx, statement.query, parameters)


def _on_its_own(graph: Graph, job: Job, number: int, statement: Statement, tag: int) -> None:
    query, parameters = statement.query, statement.with_parameters({"UPDATE_TAG": tag})

    def once() -> Mapping[str, Any]:
        if statement.changes_schema or statement.commits_itself:
            return next(iter(graph.autocommit(query, parameters)), {})
        return graph.write(lambda tx: _first_row(tx, query, parameters))

    with _reported(job, lambda: number):
        if old_index := dropped_index(query):
            _drop_index(graph, *old_index)
        elif statement.iterative:
            _repeat(job, number, once)
        else:
            once()


def _repeat(job: Job, number: int, one_round: Callable[[], Mapping[str, Any]]) -> None:
    """Repeat the statement until TotalCompleted in its first row is 0."""
    for _ in range(MAX_ROUNDS):
        completed = one_round().get("TotalCompleted")
        if type(completed) is not int:
            message = "is iterative but returned no integer TotalCompleted; add RETURN count(*) AS TotalCompleted"
            raise JobError(job, number, message)
        if completed == 0:
            return
    message = f"is iterative and TotalCompleted was not 0 after {MAX_ROUNDS} rounds; match only what is left to do"
    raise JobError(job, number, message)


def _run(tx: neo4j.ManagedTransaction, query: str, parameters: Mapping[str, Any] | None = None) -> None:
    tx.run(query, dict(parameters or {})).consume()


def _first_row(tx: neo4j.ManagedTransaction, query: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    result = tx.run(query, dict(parameters))
    first = result.peek()
    result.consume()
    return {} if first is None else first.data()


def _drop_index(graph: Graph, label: str, properties: list[str]) -> None:
    """Drop an index by the name that it has in Neo4j 5. Keeps the index of a constraint; a missing index is fine."""
    named = graph.rows(
        "SHOW INDEXES YIELD name, entityType, labelsOrTypes, properties, owningConstraint"
        " WHERE entityType = 'NODE' AND labelsOrTypes = [$label] AND properties = $properties"
        " AND owningConstraint IS NULL RETURN name",
        {"label": label, "properties": properties},
    )
    for row in named:
        graph.autocommit(f"DROP INDEX `{row['name'].replace('`', '``')}` IF EXISTS")


@contextmanager
def _reported(job: Job, number: Callable[[], int]) -> Iterator[None]:
    """Raises JobError for what Neo4j refuses. That Neo4j is unavailable is not an error of the job: it is re-raised."""
    try:
        yield
    except DatabaseUnavailable:
        raise
    except Neo4jError as error:
        message = (error.message or str(error)).strip()
        raise JobError(job, number(), message.splitlines()[0] if message else type(error).__name__) from error
