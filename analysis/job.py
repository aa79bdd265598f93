"""What an analysis job is: a JSON file, read and checked before anything runs."""

from __future__ import annotations

import graphlib
import itertools
import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from analysis import cypher35
from loaders.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

Relationship = tuple[str, str, str]  # label, type, label


class JobFileError(UsageError, ValueError):
    """A job file, or the directory of them, that can't be used: which, what is wrong with it, and the way out."""


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One query of a job, in the spelling of Neo4j 5."""

    query: str
    iterative: bool = False
    iterationsize: int = 0
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def with_parameters(self, run: Mapping[str, Any]) -> dict[str, Any]:
        """The statement's own, the run's over them, and LIMIT_SIZE always."""
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
    """A named list of statements; a shipped one also states what it reads, what it writes and what it reports.

    reads_also   types that show further ways to the same: without them the verdict holds for what was seen, and says so
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
        try:
            jobs.append(_read(file, shipped, known_types))
        except JobFileError as error:
            problems.append(str(error))
    if problems:
        raise JobFileError("\n".join(problems))
    return jobs


def in_order(jobs: Sequence[Job]) -> list[Job]:
    """Jobs that read what another writes go after it; a property has one writer, or resets would undo it."""
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
    try:
        content = json.loads(file.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise JobFileError(f"{file}: can't be read: {error}; make it a readable UTF-8 file, or move it away") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno} column {error.colno}"
        raise JobFileError(f"{file}: not valid JSON: {error.msg} at {where}; correct it, or move it away") from None
    fields = _Fields(file, "", content)
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


def _statement(fields: _Fields) -> Statement:
    statement = Statement(
        query=cypher35.upgrade(fields.query("query")),
        iterative=fields.flag("iterative"),
        iterationsize=fields.whole_number("iterationsize"),
        parameters=fields.parameters("parameters"),
    )
    if statement.iterative and statement.iterationsize == 0 and "LIMIT_SIZE" in statement.query:
        fields.wrong("iterationsize", "it limits each round of this query: give how many rows, for example 1000")
    return statement


def _types(fields: _Fields, name: str, known_types: Collection[str] | None) -> tuple[str, ...]:
    types = fields.texts(name)
    if unknown := [type_ for type_ in types if known_types is not None and type_ not in known_types]:
        fields.wrong(name, f"{unknown[0]} is not a resource type; `chartfleet schema` lists them")
    return types


def _findings(fields: _Fields) -> Findings | None:
    if "findings" not in fields.values:
        return None
    entry = fields.object("findings")
    return Findings(name=entry.text("name"), one=entry.text("one"), query=entry.query("query"), text=entry.text("text"))


class _Fields:
    """One JSON object of a job file; each read checks; an error names file, field, value and the way out.

    Fields that nobody asks for, such as `__comment__`, are comments.
    """

    def __init__(self, file: Path, at: str, values: Any) -> None:
        if not isinstance(values, dict):
            raise JobFileError(f"{file}: {at.rstrip('.') or 'the file'} is {_shown(values)}; give an object {{...}}")
        self.file = file
        self.at = at
        self.values: Mapping[str, Any] = values

    def wrong(self, name: str, way_out: str) -> NoReturn:
        problem = f"is {_shown(self.values[name])}" if name in self.values else "is missing"
        raise JobFileError(f"{self.file}: {self.at}{name} {problem}; {way_out}")

    def _checked(self, name: str, default: Any, holds: Callable[[Any], bool], way_out: str) -> Any:
        value = self.values.get(name, default)
        if not holds(value):
            self.wrong(name, way_out)
        return value

    def text(self, name: str) -> str:
        return str(self._checked(name, None, _is_text, "give a text"))

    def texts(self, name: str) -> tuple[str, ...]:
        return tuple(self._checked(name, [], lambda value: _is_list(value, _is_text), "give a list of texts"))

    def query(self, name: str) -> str:
        """Cypher: a text, or a list of its lines."""

        def holds(value: Any) -> bool:
            return _is_text(value) or (_is_list(value, lambda line: isinstance(line, str)) and _is_text("".join(value)))

        value = self._checked(name, None, holds, "give a Cypher query: a text, or a list of its lines")
        return value if isinstance(value, str) else "\n".join(value)

    def flag(self, name: str) -> bool:
        return bool(self._checked(name, False, lambda value: isinstance(value, bool), "give true or false"))

    def whole_number(self, name: str) -> int:
        def holds(value: Any) -> bool:
            return type(value) is int and 0 <= value < 2**63

        return int(self._checked(name, 0, holds, "give a whole number, 0 or more"))

    def parameters(self, name: str) -> Mapping[str, Any]:
        def holds(value: Any) -> bool:
            return isinstance(value, dict) and _fits(value)

        return dict(self._checked(name, {}, holds, "give an object of values, with integers of 64 bits"))

    def object(self, name: str) -> _Fields:
        return _Fields(self.file, f"{self.at}{name}.", self.values[name])

    def objects(self, name: str) -> list[_Fields]:
        def holds(value: Any) -> bool:
            return isinstance(value, list) and bool(value)

        entries = self._checked(name, None, holds, 'give a list of {"query": ...}')
        return [_Fields(self.file, f"{self.at}{name}[{at}].", entry) for at, entry in enumerate(entries)]

    def properties(self, name: str) -> Mapping[str, tuple[str, ...]]:
        def holds(value: Any) -> bool:
            return isinstance(value, dict) and all(_is_list(names, _is_text) and names for names in value.values())

        value = self._checked(name, {}, holds, 'give labels with their properties, {"Label": ["property"]}')
        return {label: tuple(names) for label, names in value.items()}

    def relationships(self, name: str) -> tuple[Relationship, ...]:
        def holds(value: Any) -> bool:
            return _is_list(value, lambda triple: _is_list(triple, _is_text) and len(triple) == 3)

        triples = self._checked(name, [], holds, 'give a list of ["Label", "TYPE", "Label"]')
        return tuple((start, type_, end) for start, type_, end in triples)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_list(value: Any, of: Callable[[Any], bool]) -> bool:
    return isinstance(value, list) and all(map(of, value))


def _fits(value: Any) -> bool:
    """Whether Neo4j takes the value: its integers have 64 bits."""
    if isinstance(value, dict):
        return all(map(_fits, value.values()))
    if isinstance(value, list):
        return all(map(_fits, value))
    return not isinstance(value, int) or -(2**63) <= value < 2**63


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."
