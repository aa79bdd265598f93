"""What an analysis job is: a JSON file, read and checked before anything runs."""

from __future__ import annotations

import graphlib
import itertools
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from analysis import cypher35
from analysis.job_file import Fields, content_of
from analysis.job_file import JobFileError as JobFileError
from analysis.job_file import Relationship as Relationship
from loaders.trusted_file import distrust_below

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One query of a job, in Cypher of Neo4j 5."""

    query: str
    iterative: bool = False
    iterationsize: int = 0
    parameters: Mapping[str, object] = field(default_factory=dict)

    def with_parameters(self, run: Mapping[str, object]) -> dict[str, object]:
        """The statement's own, overridden by those of the run, and LIMIT_SIZE."""
        return {**self.parameters, **run, "LIMIT_SIZE": self.iterationsize}

    @cached_property
    def changes_schema(self) -> bool:
        """Whether it creates or drops an index or a constraint."""
        words = list(itertools.takewhile(lambda token: token.is_name, cypher35.code(self.query)))
        commands = any(word.is_word("create", "drop") for word in words[:1])
        return commands and any(word.is_word("index", "constraint") for word in words)

    @cached_property
    def commits_itself(self) -> bool:
        """Whether it is a `CALL {...} IN TRANSACTIONS`."""
        code = cypher35.code(self.query)
        return any(
            brace.text == "}" and word.is_word("in") and any(near.is_word("transactions") for near in code[at : at + 5])
            for at, (brace, word) in enumerate(itertools.pairwise(code), start=1)
        )


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What a job reports: a query that returns one row.

    count, examples            what it found
    unknown, unknown_examples  how many it can't judge, and some of them, each with `why`; not every job has these
    total                      how many there are, so that `not known for 2 of 2` can be said
    """

    name: str  # of many: "exposed instances"
    one: str  # of one: "exposed instance"
    query: str
    text: str  # what a finding means, and what the job doesn't look at


@dataclass(frozen=True, kw_only=True)
class Job:
    """A named list of statements. A shipped one also states what it reads, writes and reports.

    reads_also   types with further evidence: without them the verdict holds for what was seen, and says so
    """

    name: str
    file: Path
    statements: tuple[Statement, ...]
    reads: tuple[str, ...] = ()
    reads_also: tuple[str, ...] = ()
    reads_properties: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    writes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    writes_relationships: tuple[Relationship, ...] = ()
    findings: Findings | None = None

    def __str__(self) -> str:
        return f"job {self.name!r} ({self.file})"

    @property
    def written_labels(self) -> set[str]:
        """Of the nodes whose properties or relationships it declares to write: without any it has no effect on them."""
        return {*self.writes, *(label for start, _, end in self.writes_relationships for label in (start, end))}


def load_jobs(directory: Path | str, *, shipped: bool = False, known_types: Collection[str] | None = None) -> list[Job]:
    """Every *.json under a directory, by path. Raises JobFileError with the problems of all files.

    Hidden files and folders are skipped: a mounted Kubernetes ConfigMap holds each file twice, once under `..data`.
    `known_types`: the resource types that a job may read, where they are to be checked.
    """
    root = Path(directory)
    if not root.is_dir():
        reason = "not a directory" if root.exists() else "no such directory"
        raise JobFileError(
            f"--analysis-job-directory: {root} is {reason}; name the directory that holds the *.json job files"
        )
    files = sorted(
        path
        for path in root.rglob("*.json")
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(root).parts)
    )
    jobs: list[Job] = []
    problems: list[str] = []
    for file in files:
        if not shipped and (problem := distrust_below(root, file)):
            problems.append(f"{file}: {problem}: it would run with the graph's rights")
            continue
        try:
            jobs.append(_read(file, shipped, known_types))
        except JobFileError as error:
            problems.append(str(error))
    if problems:
        raise JobFileError("\n".join(problems))
    return jobs


def in_order(jobs: Sequence[Job]) -> list[Job]:
    """Each job after those that write what it reads. A property has a single writer, or resets would undo it."""
    writers: dict[tuple[str, str], Job] = {}
    names: dict[str, Job] = {}
    for job in jobs:
        if (other := names.setdefault(job.name, job)) is not job:
            raise JobFileError(f"{job.file}: name is {job.name!r}, as in {other.file}; give it another")
        for written in _pairs(job.writes):
            if (other := writers.setdefault(written, job)) is not job:
                raise JobFileError(f"{job.file}: writes has {'.'.join(written)}, as in {other.file}; let one write it")
    before = {
        job.name: [writers[read].name for read in _pairs(job.reads_properties) if writers.get(read, job) is not job]
        for job in jobs
    }
    try:
        return [names[name] for name in graphlib.TopologicalSorter(before).static_order()]
    except graphlib.CycleError as error:
        circle = " -> ".join(error.args[1])
        raise JobFileError(f"analysis jobs wait for each other by what they read and write: {circle}") from None


def _pairs(properties: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, str]]:
    return ((label, name) for label, names in properties.items() for name in names)


def _read(file: Path, shipped: bool, known_types: Collection[str] | None) -> Job:
    fields = content_of(file)
    name = fields.text("name")
    statements = tuple(_statement(entry) for entry in fields.objects("statements"))
    if not shipped:
        return Job(
            name=name,
            file=file,
            statements=statements,
            reads=_types(fields, "reads", known_types),
            reads_also=_types(fields, "reads_also", known_types),
            findings=_findings(fields),
        )
    for statement, entry in zip(statements, fields.objects("statements"), strict=True):
        if statement.changes_schema or statement.commits_itself:
            entry.wrong("query", "a shipped job is one transaction: remove what Neo4j refuses inside one")
    return Job(
        name=name,
        file=file,
        statements=statements,
        reads=fields.texts("reads"),
        reads_also=fields.texts("reads_also"),
        reads_properties=fields.properties("reads_properties"),
        writes=fields.properties("writes"),
        writes_relationships=fields.relationships("writes_relationships"),
        findings=_findings(fields),
    )


def _statement(fields: Fields) -> Statement:
    statement = Statement(
        query=cypher35.upgrade(fields.query("query")),
        iterative=fields.flag("iterative"),
        iterationsize=fields.whole_number("iterationsize"),
        parameters=fields.parameters("parameters"),
    )
    if statement.iterative and statement.iterationsize == 0 and "LIMIT_SIZE" in statement.query:
        fields.wrong("iterationsize", "it limits each round of this query: give how many rows, for example 1000")
    return statement


def _types(fields: Fields, name: str, known_types: Collection[str] | None) -> tuple[str, ...]:
    types = fields.texts(name)
    if unknown := [type_ for type_ in types if known_types is not None and type_ not in known_types]:
        fields.wrong(name, f"{unknown[0]} is not a resource type; `chartfleet schema` lists them")
    return types


def _findings(fields: Fields) -> Findings | None:
    if "findings" not in fields.values:
        return None
    entry = fields.object("findings")
    return Findings(name=entry.text("name"), one=entry.text("one"), query=entry.query("query"), text=entry.text("text"))
