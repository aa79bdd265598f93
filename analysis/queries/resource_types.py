"""The resource types whose data a query reads, by the labels and relationship types that it names.

A property that an analysis job writes rests on what the job reads: `exposed_internet` of an instance on rules and load
balancers, too.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from typing import Final

from analysis import cypher35
from analysis.cypher35 import Token
from analysis.job import Job
from loaders.model import Link, NodeModel
from loaders.read_only import Operator
from loaders.schema import GraphSchema

_WHOLE_GRAPH: Final = ("AllNodesScan", "AllRelationshipsScan", "ById", "ByElementId", "ProcedureCall")
_OF_THE_GRAPH: Final = ("Node", "Relationship", "Expand", "Path")  # what reads the graph has one of these in its name
_BOOKKEEPING: Final = "Sync"  # Chartfleet's own labels begin with it; no resource type loads them


@dataclass(frozen=True, slots=True)
class ReadTypes:
    """`also`: those without which there is a result, too."""

    types: Sequence[str]
    also: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class _Edge:
    """A relationship: the labels of its two ends, each end's own first, the types that it rests on, and the job if one
    writes it.
    """

    type: str
    ends: tuple[Sequence[str], Sequence[str]]
    types: Collection[str]
    job: Job | None = None

    def named_ends(self, names: Set[str]) -> int:
        return len(self.ends) - len(self.other_ends(names))

    def other_ends(self, names: Set[str]) -> list[str]:
        """The labels of the ends that are not named."""
        return [labels[0] for labels in self.ends if names.isdisjoint(labels)]


def read_types(query: str, plan: Iterable[Operator], schema: GraphSchema, jobs: Collection[Job]) -> ReadTypes:
    """In Neo4j 5's Cypher. Every type, unless labels or relationship types say which; none if it reads no graph."""
    operators, everything = list(plan), ReadTypes(tuple(schema.models_of_type))
    if any(map(_reads_everything, operators)):
        return everything
    code = cypher35.code(query)
    names = {token.name for token in code if token.is_name}
    types = _owners(schema, names)
    labels = names.union(*(model.labels for model in _models(schema) if names & {*model.labels}))
    edges = _edges_read(code, names, [*_declared(schema), *_written_by_jobs(schema, jobs)])
    for edge in edges:
        types |= {*edge.types, *_owners(schema, edge.other_ends(names))}
    waiting = [edge.job for edge in edges if edge.job] + [job for job in jobs if _sets(job, labels, names)]
    rests_on = list(_with_those_before(waiting, jobs))
    types |= {type_ for job in rests_on for type_ in job.reads}
    also = {type_ for job in rests_on for type_ in job.reads_also} - types
    is_bookkeeping = any(name.startswith(_BOOKKEEPING) for name in names)
    if not types and not is_bookkeeping and any(part in one.name for one in operators for part in _OF_THE_GRAPH):
        return everything  # a label that isn't declared: nobody knows what it follows from
    return ReadTypes(tuple(sorted(types)), tuple(sorted(also)))


def _reads_everything(operator: Operator) -> bool:
    """Whether it finds nodes by other means than a label, a relationship type or another node."""
    if operator.name.endswith("CountFromCountStore"):
        return ":" not in operator.details
    return any(part in operator.name for part in _WHOLE_GRAPH)


def _models(schema: GraphSchema) -> Iterator[NodeModel]:
    return (model for models in schema.models_of_type.values() for model in models)


def _owners(schema: GraphSchema, labels: Iterable[str]) -> set[str]:
    """The types that load nodes with some of these labels."""
    wanted = set(labels)
    models_of_type = schema.models_of_type.items()
    return {name for name, models in models_of_type if any(not wanted.isdisjoint(model.labels) for model in models)}


def _edges_read(code: Sequence[Token], names: Set[str], edges: Sequence[_Edge]) -> list[_Edge]:
    """Of each type that is named: those between labels that are named, or else with one such end, or else all."""
    found = [edge for edge in edges if edge.named_ends(names)] if _has_any_relationship(code) else []
    for type_ in {edge.type for edge in edges if edge.type in names}:
        of_type = [edge for edge in edges if edge.type == type_]
        most = max(edge.named_ends(names) for edge in of_type)
        found += [edge for edge in of_type if edge.named_ends(names) == most]
    return found


def _declared(schema: GraphSchema) -> Iterator[_Edge]:
    for name, models in schema.models_of_type.items():
        for model in models:
            for declaring in _bases_and_self(model):
                for declared in declaring.relationships:
                    records = (
                        _owners(schema, [declared.through[0]])
                        if isinstance(declared, Link) and declared.through
                        else ()
                    )
                    yield _Edge(
                        declared.type, (_own_first(model), _own_first(schema.target(declared))), {name, *records}
                    )


def _written_by_jobs(schema: GraphSchema, jobs: Iterable[Job]) -> Iterator[_Edge]:
    for job in jobs:
        for start, type_, end in job.writes_relationships:
            start_labels, end_labels = (
                _own_first(schema.by_label[label]) if label in schema.by_label else (label,) for label in (start, end)
            )
            yield _Edge(type_, (start_labels, end_labels), (), job)


def _own_first(model: NodeModel) -> tuple[str, ...]:
    return model.label, *model.labels


def _bases_and_self(model: NodeModel) -> list[NodeModel]:
    return [*(_bases_and_self(model.base) if model.base else ()), model]


def _has_any_relationship(code: Sequence[Token]) -> bool:
    """`--`, `-->`, `-[*]-` or `-[r]-`: relationships of every type."""
    for at, (one, other) in enumerate(itertools.pairwise(code)):
        if one.text != "-":
            continue
        if other.text == "-" or (other.text == ">" and code[at - 1].text == ")"):
            return True
        if other.text == "[":
            inside = itertools.takewhile(lambda token: token.text != "]", code[at + 2 :])
            if all(token.text != ":" for token in inside):
                return True
    return False


def _sets(job: Job, labels: Collection[str], names: Collection[str]) -> bool:
    """Whether the job writes a property that is named, of a node that has one of these labels."""
    return any(label in labels and any(p in names for p in properties) for label, properties in job.writes.items())


def _with_those_before(waiting: list[Job], jobs: Collection[Job]) -> Iterator[Job]:
    """These jobs, and those that write what they read."""
    done: set[str] = set()
    while waiting:
        job = waiting.pop()
        if job.name in done:
            continue
        done.add(job.name)
        yield job
        for label, properties in job.reads_properties.items():
            waiting += [other for other in jobs if not {*properties}.isdisjoint(other.writes.get(label, ()))]
