"""The schema of the graph, derived from the declarations: for `chartfleet schema` and the pages under docs/schema.

For each resource type: its API calls, the nodes that it yields, and their labels, properties and relationships,
including those that analysis jobs write.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Literal

from analysis import shipped
from analysis.job import Job
from loaders.errors import UsageError
from loaders.model import IdLink, Link, NodeModel, Property, Reference, Value
from loaders.model import Relationship as Declared
from loaders.nearest import did_you_mean
from tasks.engine import registry
from tasks.resource import Call, ResourceType

# Neo4j's names for the types of Python.
_TYPES: Final = {"str": "STRING", "bool": "BOOLEAN", "int": "INTEGER", "float": "FLOAT", "datetime": "STRING"}

Kind = Literal["stub", "id link", "link", "job"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PropertyOf:
    """`type`: Neo4j's name for it, None if a job writes it. `source`: its path in the response, or what computes it."""

    name: str
    type: str | None
    nullable: bool
    key: bool
    indexed: bool
    meaning: str
    source: str
    job: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationshipOf:
    """A relationship, seen from one of its ends.

    kind    `stub`: the other end is created if it doesn't exist; `id link`: written at the barrier, to a node that
            exists; `link`: written at the barrier, between nodes whose values `on` are equal; `job`: by an analysis job
    by      the resource type or the job that writes it
    as_     the label of this end if it isn't the node's own: an AWSRole has the relationships of every AWSPrincipal
    """

    direction: Literal["in", "out"]
    type: str
    label: str
    kind: Kind
    by: str
    as_: str | None = None
    on: tuple[tuple[str, str], ...] = ()
    within: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeOf:
    """A node as one resource type writes it.

    labels   all of its labels, that of its identity first
    tenant   the label of the tenant that has a RESOURCE relationship to it
    shared   written by many scopes, and kept while a relationship needs it
    """

    label: str
    labels: tuple[str, ...]
    key: str
    tenant: str | None
    shared: bool
    properties: tuple[PropertyOf, ...]
    relationships: tuple[RelationshipOf, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeOf:
    """A resource type. `per`: whether a scope of it covers a region or a tenant. `also`: other words that select it."""

    name: str
    provider: str
    per: str
    also: tuple[str, ...]
    calls: tuple[Call, ...]
    nodes: tuple[NodeOf, ...]

    @property
    def family(self) -> str:
        """`ec2` of `aws.ec2.instances`."""
        return self.name.split(".")[1]


@dataclass(frozen=True, slots=True)
class Edge:
    """A declared relationship, from its start to its end."""

    start: str
    type: str
    end: str
    kind: Kind
    by: str
    on: tuple[tuple[str, str], ...] = ()
    within: str | None = None


def described(provider: str | None = None, words: Iterable[str] = ()) -> tuple[TypeOf, ...]:
    """The resource types of a provider, or of all; with words, only those that one names by type, family or label.

    If it is a label, only the nodes with that label remain. Raises UsageError.
    """
    if provider is not None and provider not in registry.providers():
        known = registry.providers()
        raise UsageError(f'no provider "{provider}"{did_you_mean(provider, known)} (known: {", ".join(known)})')
    jobs, edges = shipped.jobs(), list(_edges())
    found = [_type(type_, jobs, edges) for type_ in registry.types().values() if provider in (None, type_.provider)]
    return tuple(_chosen(found, list(words)))


def edges_of(types_: Sequence[TypeOf]) -> list[Edge]:
    """Each relationship that starts or ends at a node of the types, once."""
    labels = {node.label for type_ in types_ for node in type_.nodes}
    return [edge for edge in dict.fromkeys(_edges()) if {edge.start, edge.end} & labels]


def as_json(types_: Sequence[TypeOf]) -> list[dict[str, Any]]:
    """As docs/schema/README.md documents it."""
    return [asdict(type_) | {"nodes": [_node_as_json(node) for node in type_.nodes]} for type_ in types_]


def _node_as_json(node: NodeOf) -> dict[str, Any]:
    relationships = [
        {("as" if name == "as_" else name): value for name, value in asdict(relationship).items()}
        | {"on": dict(relationship.on)}
        for relationship in node.relationships
    ]
    return asdict(node) | {"relationships": relationships}


# -- derivation


def _type(type_: ResourceType, jobs: Sequence[Job], edges: Sequence[Edge]) -> TypeOf:
    return TypeOf(
        name=type_.name,
        provider=type_.provider,
        per=type_.per.value,
        also=_also_selected_by(type_),
        calls=registry.provider(type_.provider).calls(type_.fetch),
        nodes=tuple(_node(model, jobs, edges) for model in _models(type_)),
    )


def _also_selected_by(type_: ResourceType) -> tuple[str, ...]:
    """Its family, unless that is its whole name, and its aliases."""
    _, family, *rest = type_.name.split(".")
    return tuple(dict.fromkeys((*((family,) if rest else ()), *type_.aliases)))


def _models(type_: ResourceType) -> list[NodeModel]:
    """The models that the type yields, each after its base model unless another type yields that."""
    schema = registry.schema()
    found: dict[str, NodeModel] = {}
    for node in type_.nodes:
        for model in _bases_and_self(node.model):
            yielded = any(model is other for models in schema.models_of_type.values() for other in models)
            if model is node.model or (not yielded and schema.owners[model.label] == type_.name):
                found[model.label] = model
    return list(found.values())


def _bases_and_self(model: NodeModel) -> list[NodeModel]:
    """A model after its base models, the identity first."""
    return [*(_bases_and_self(model.base) if model.base else ()), model]


def _node(model: NodeModel, jobs: Sequence[Job], edges: Sequence[Edge]) -> NodeOf:
    return NodeOf(
        label=model.label,
        labels=model.labels,
        key=model.key.name,
        tenant=model.tenant,
        shared=model.shared,
        properties=(*(_property(model, declared) for declared in model.properties), *_written_by_jobs(model, jobs)),
        relationships=tuple(_seen_from(model, edges)),
    )


def _property(model: NodeModel, declared: Property) -> PropertyOf:
    return PropertyOf(
        name=declared.name,
        type=_cypher_type(typing.get_type_hints(model.cls)[declared.name]),
        nullable=declared.optional,
        key=declared.is_key,
        indexed=declared.index or declared.is_key,
        meaning=declared.meaning,
        source=_source_text(declared.source),
    )


def _cypher_type(hint: Any) -> str:
    """`list[str] | None` -> LIST<STRING>."""
    if isinstance(hint, types.UnionType):
        return " | ".join(_cypher_type(part) for part in typing.get_args(hint) if part is not types.NoneType)
    if typing.get_origin(hint) is list:
        (element,) = typing.get_args(hint)
        return f"LIST<{_cypher_type(element)}>"
    return _TYPES[hint.__name__]


def _source_text(source: Value) -> str:
    """A path as it is; of a function, the first sentence of its docstring, or else its name."""
    if isinstance(source, str):
        return source
    summary = " ".join((source.__doc__ or "").split("\n\n")[0].split())
    return re.split(r"(?<=\.) ", summary)[0] if summary else source.__name__.strip("_").replace("_", " ")


def _written_by_jobs(model: NodeModel, jobs: Sequence[Job]) -> Iterator[PropertyOf]:
    own = {declared.name for declared in model.properties}
    written = ((job.name, name) for job in jobs for label in model.labels for name in job.writes.get(label, ()))
    for job_name, name in written:
        if name not in own:
            yield PropertyOf(
                name=name, type=None, nullable=True, key=False, indexed=False, meaning="", source="", job=job_name
            )


def _edges() -> Iterator[Edge]:
    schema = registry.schema()
    for type_name, models in schema.models_of_type.items():
        for model in models:
            for declaring in _bases_and_self(model):
                for relationship in declaring.relationships:
                    yield _edge(type_name, declaring, relationship)
    for job in shipped.jobs():
        for start, type_, end in job.writes_relationships:
            yield Edge(start, type_, end, "job", job.name)


def _edge(type_name: str, model: NodeModel, declared: Declared) -> Edge:
    if isinstance(declared, Link):
        return Edge(model.label, declared.type, declared.label, "link", type_name, declared.on, declared.within)
    start, end = (declared.label, model.label) if declared.incoming else (model.label, declared.label)
    kind: Kind = "id link" if isinstance(declared, IdLink) else "stub"
    assert isinstance(declared, IdLink | Reference)
    return Edge(start, declared.type, end, kind, type_name)


def _seen_from(model: NodeModel, edges: Sequence[Edge]) -> Iterator[RelationshipOf]:
    for edge in dict.fromkeys(edges):
        ends: tuple[tuple[Literal["out", "in"], str, str], ...] = (
            ("out", edge.start, edge.end),
            ("in", edge.end, edge.start),
        )
        for direction, here, there in ends:
            if here in model.labels:
                yield RelationshipOf(
                    direction=direction,
                    type=edge.type,
                    label=there,
                    kind=edge.kind,
                    by=edge.by,
                    as_=None if here == model.label else here,
                    on=edge.on,
                    within=edge.within,
                )


# -- selection


def _chosen(found: list[TypeOf], words: list[str]) -> Iterator[TypeOf]:
    if not words:
        yield from found
        return
    named: set[str] = set()
    labels: set[str] = set()
    for word in words:
        of_word = {type_.name for type_ in found if _names(type_, word)}
        has_label = any(word in node.labels for type_ in found for node in type_.nodes)
        if not of_word and not has_label:
            raise UsageError(_unknown(word, found))
        named |= of_word
        labels |= {word} if has_label else set()
    for type_ in found:
        if type_.name in named:
            yield type_
        elif nodes := tuple(node for node in type_.nodes if labels & set(node.labels)):
            yield replace(type_, nodes=nodes)


def _names(type_: TypeOf, word: str) -> bool:
    """By its name or its family's, with or without the provider, or by a word of another tool."""
    name = f"{type_.provider}.{word.removeprefix(f'{type_.provider}.')}"
    return word in type_.also or word == type_.provider or type_.name == name or type_.name.startswith(f"{name}.")


def _unknown(word: str, found: Sequence[TypeOf]) -> str:
    names = [type_.name for type_ in found]
    families = sorted({f"{type_.provider}.{type_.family}" for type_ in found})
    labels = {label for type_ in found for node in type_.nodes for label in node.labels}
    hint = did_you_mean(word, [*names, *families, *(name.partition(".")[2] for name in (*names, *families)), *labels])
    return f'"{word}" is neither a resource type nor a label{hint} (families: {", ".join(families)})'
