"""The vocabulary of the graph model: what a declaration under `tasks/` says about its nodes and relationships.

A node model is a frozen dataclass. Its fields say which property they become and where a response holds the value; its
relationships name the label at the other end, never a class, so that declarations don't import each other. Cypher,
indexes, cleanup, the schema page and the contract test are derived from what stands here.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal, dataclass_transform

from loaders.scope import Scope

# `_scope` of a stub, and of a node that many scopes share: deleted when no scope's edge is left.
UNOWNED: typing.Final = "shared"
TENANT_EDGE: typing.Final = "RESOURCE"
_KEPT: typing.Final = "kept:"


class NotSeen(Exception):
    """What is asked for lies in a detail that could not be read: it is neither there nor absent."""


class _NotSeenValue:
    """Stands where a detail's response would be. Whatever is made of it raises NotSeen."""

    def _raise(self, *_: Any) -> Any:
        raise NotSeen

    __getitem__ = __contains__ = __iter__ = __len__ = __bool__ = __reversed__ = _raise

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise NotSeen

    def __repr__(self) -> str:
        return "NOT_SEEN"


Mapping.register(_NotSeenValue)
Sequence.register(_NotSeenValue)
NOT_SEEN: typing.Final[Any] = _NotSeenValue()


@dataclass(frozen=True, slots=True)
class Source:
    """One item of a response, the items around it (nearest first), and the scope it was fetched for.

    access   how the tenant is reached, by names, as the options said it
    unseen   details of the item that could not be read, and for which it has None: what None means there, a
             property's own function says; edges and nodes under them stay as they are
    """

    item: Any
    scope: Scope
    parents: tuple[Any, ...] = ()
    partition: str = "aws"
    tenant_name: str = ""
    access: Mapping[str, str] = dataclasses.field(default_factory=dict)
    unseen: frozenset[str] = frozenset()


Value = str | Callable[[Source], Any]  # a path into the item, or a function for what no path says


def scope_region(source: Source) -> str:
    """The region it was found in."""
    return source.scope.region


def scope_tenant(source: Source) -> str:
    """The tenant it was found in."""
    return source.scope.tenant


def constant(value: Any) -> Callable[[Source], Any]:
    """The same for every row."""

    def always(source: Source) -> Any:
        return value

    always.__doc__ = f"Always {value!r}."
    return always


@dataclass(frozen=True, slots=True)
class Property:
    """One property of a node: its name in the graph, its source, its meaning, and whether it is looked up by."""

    name: str
    source: Value
    meaning: str
    index: bool
    is_key: bool
    types: tuple[type, ...] = ()
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Reference:
    """An edge to a node named by its identity. A node that isn't there yet becomes a stub, which its owner fills in."""

    type: str
    label: str
    keys: Value
    incoming: bool = False


@dataclass(frozen=True, slots=True)
class IdLink:
    """An edge to a node named by its identity, made at the barrier and only where that node exists."""

    type: str
    label: str
    keys: Value
    incoming: bool = False

    @property
    def kept_as(self) -> str:
        """The node's property that keeps the ids until the barrier, and over runs that don't see the node."""
        return f"_{self.type}_{self.label}"


@dataclass(frozen=True, slots=True)
class Link:
    """An edge by equal values, made at the barrier. `within`: only to nodes that this relationship type reaches.

    `through`: the label of a record about the node, and the relationship type by which that record names the other
    ends; the values are equal on the record then.
    """

    type: str
    label: str
    on: tuple[tuple[str, str], ...]
    within: str | None = None
    through: tuple[str, str] | None = None


Relationship = Reference | IdLink | Link


def key(source: Value, meaning: str = "", *, index: bool = False) -> Any:
    """The identity: MERGE and the uniqueness constraint use it. A row without it is reported, not written."""
    return Property("", source, meaning, index, is_key=True)


def prop(source: Value, meaning: str = "", *, index: bool = False) -> Any:
    """A property. `source` is a path (`Endpoint.Port`, `Subnets[].Id`) or a function. Absent stays None."""
    return Property("", source, meaning, index, is_key=False)


def outgoing(type: str, label: str, keys: Value) -> Reference:
    """(this)-[:type]->(label); a missing end is created as a stub."""
    return Reference(type, label, keys)


def incoming(type: str, label: str, keys: Value) -> Reference:
    """(label)-[:type]->(this); a missing end is created as a stub."""
    return Reference(type, label, keys, incoming=True)


def id_link(type: str, label: str, keys: Value, *, incoming: bool = False) -> IdLink:
    """(this)-[:type]->(label), or the reverse, between nodes that exist; nothing is created."""
    return IdLink(type, label, keys, incoming)


def link(type: str, label: str, *, on: Mapping[str, str], within: str | None = None) -> Link:
    """(this)-[:type]->(label) where each property of `on` equals the other node's."""
    return Link(type, label, tuple(on.items()), within)


def link_through(record: str, by: str, type: str, label: str, *, on: Mapping[str, str]) -> Link:
    """(this)-[:type]->(label) where (record)-[:by]->(label), of the record whose properties equal those of `on`."""
    return Link(type, label, tuple(on.items()), through=(record, by))


def parent(path: str) -> Callable[[Source], Any]:
    """The value at `path` in the nearest enclosing item that has its first field."""
    first = path.split(".")[0].removesuffix("[]")

    def look_up(source: Source) -> Any:
        for item in source.parents:
            if isinstance(item, Mapping) and first in item:
                return at(path, item)
        return None

    look_up.__doc__ = f"`{path}` of the enclosing item."
    look_up.parent_path = path  # type: ignore[attr-defined]  # the contract test walks it through the service's model
    return look_up


def at(path: str, item: Any) -> Any:
    """The value at a path: `a.b` descends, `a[]` takes every element. Raises NotSeen; TypeError where the path leads
    through something that is neither an object nor a list, as that must not read as nothing.

    None where nothing is. With `[]` a list: APIs leave out what is empty, but None on the way is a detail not seen.
    """
    values, many = [item] if isinstance(item, Mapping) else [], False
    for step in path.split("."):
        name = step.removesuffix("[]")
        found = [value[name] for value in values if _is_a(value, Mapping, path, name) and name in value]
        values = [value for value in found if value is not None]
        if found and not values:
            return None
        if step.endswith("[]"):
            many = True
            values = [element for value in values if _is_a(value, Sequence, path, step) for element in value]
            values = [element for element in values if element is not None]
    if any(value is NOT_SEEN for value in values):
        raise NotSeen
    if many:
        return values
    return values[0] if values else None


def _is_a(value: Any, kind: type, path: str, step: str) -> bool:
    if isinstance(value, kind) and not isinstance(value, str):
        return True
    found = "a list" if isinstance(value, list) else type(value).__name__
    raise TypeError(f"{path}: {found} at {step}, expected {'an object' if kind is Mapping else 'a list'}")


@dataclass(frozen=True, slots=True)
class Each:
    """A node model, and where in an item of the listing its own items lie: a path, or a function that finds them."""

    node: type[Node]
    path: str | Callable[[Source], Iterable[Any]] = ""


@dataclass_transform(field_specifiers=(key, prop), frozen_default=True, kw_only_default=True)
class Node:
    """A node model: `class EC2Instance(Node, label="EC2Instance", labels=("Instance",), tenant="AWSAccount")`.

    label    the label that queries use, unique among models unless `shared`
    labels   further labels of the same node
    prefix   of a base class without a label: with it before them, the labels of its models have a second spelling,
             which every node carries as well, a stub included
    tenant   the label of the tenant, where `(tenant)-[:RESOURCE]->(node)` is part of the schema; no edge without it
    shared   a node that many scopes write: its properties follow from its key, and it lives while an edge needs it

    A class without a label is a base: its fields, relationships and prefix are those of every model that derives from it.

    A model that derives from another node model is the same node under one more label: it is merged by the identity of
    the model that it derives from, so that a reference's stub and the node itself are one.
    """

    model: ClassVar[NodeModel]
    prefix: ClassVar[str] = ""

    def __init_subclass__(
        cls,
        *,
        label: str = "",
        labels: tuple[str, ...] = (),
        tenant: str | None = None,
        shared: bool = False,
        prefix: str | None = None,
    ) -> None:
        super().__init_subclass__()
        if prefix is not None:
            cls.prefix = prefix
        for name, specifier in list(vars(cls).items()):
            if isinstance(specifier, Property):
                setattr(cls, name, dataclasses.field(metadata={"property": specifier}))
        dataclass(frozen=True, kw_only=True)(cls)
        if not label:
            return
        base = next((b for b in cls.__mro__[1:] if issubclass(b, Node) and "model" in vars(b)), None)
        cls.model = NodeModel(cls, label, labels, tenant, shared, base.model if base else None)

    @classmethod
    def each(cls, path: str | Callable[[Source], Iterable[Any]]) -> Each:
        """One row for every item at `path` of the listing's item, or that the function finds in it."""
        return Each(cls, path)


@dataclass(frozen=True, eq=False)
class NodeModel:
    """What a node class declares, ready for use."""

    cls: type[Node]
    label: str
    extra_labels: tuple[str, ...]
    tenant: str | None
    shared: bool
    base: NodeModel | None

    def __repr__(self) -> str:
        return f"NodeModel({self.label})"

    @cached_property
    def identity(self) -> NodeModel:
        """The model whose label and key make this node one."""
        return self.base.identity if self.base else self

    @cached_property
    def spellings(self) -> tuple[str, ...]:
        """Its label, and the same with the prefix of its provider: a stub has these, and no more."""
        prefix = self.cls.prefix
        return (self.label,) if self.label.startswith(prefix) else (self.label, f"{prefix}{self.label}")

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Every label of a node of this model, the identity label first."""
        own = (*self.spellings, *self.extra_labels)
        return tuple(dict.fromkeys((*(self.base.labels if self.base else ()), *own)))

    @cached_property
    def properties(self) -> tuple[Property, ...]:
        """The key first, then its own properties, then those of its bases."""
        hints, own = typing.get_type_hints(self.cls), vars(self.cls).get("__annotations__", {})
        found = [
            dataclasses.replace(field.metadata["property"], name=field.name, **_types(hints[field.name]))
            for field in dataclasses.fields(self.cls)  # type: ignore[arg-type]
        ]
        return tuple(sorted(found, key=lambda declared: (not declared.is_key, declared.name not in own)))

    @cached_property
    def key(self) -> Property:
        keys = [p for p in self.properties if p.is_key]
        if len(keys) != 1:
            raise ModelError(f"{self.label} declares {len(keys)} keys: exactly one field must be key(...)")
        return keys[0]

    @cached_property
    def relationships(self) -> tuple[Relationship, ...]:
        own: tuple[Relationship, ...] = getattr(self.cls, "relationships", ())
        if self.tenant:
            return (Reference(TENANT_EDGE, self.tenant, scope_tenant, incoming=True), *own)
        return own

    @cached_property
    def references(self) -> tuple[Reference, ...]:
        return tuple(r for r in self.relationships if isinstance(r, Reference))

    @cached_property
    def id_links(self) -> tuple[IdLink, ...]:
        return tuple(r for r in self.relationships if isinstance(r, IdLink))

    @cached_property
    def links(self) -> tuple[Link, ...]:
        return tuple(r for r in self.relationships if isinstance(r, Link))

    @cached_property
    def linked_by(self) -> frozenset[str]:
        """Its properties by whose values edges are drawn."""
        return frozenset(mine for link in self.links for mine, _ in link.on)


class ModelError(ValueError):
    """A declaration contradicts itself or another one. Found when the registry is read, before anything runs."""


def _types(hint: Any) -> dict[Literal["types", "optional"], Any]:
    """`str | None` -> types (str,), optional. `list[str]` -> types (list,)."""
    parts = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    return {
        "types": tuple(typing.get_origin(part) or part for part in parts if part is not types.NoneType),
        "optional": types.NoneType in parts,
    }


class GraphSchema:
    """Every node model of every resource type, checked against each other."""

    def __init__(self, models_of_types: Mapping[str, Sequence[type[Node]]]) -> None:
        self.models_of_type = {name: tuple(n.model for n in nodes) for name, nodes in models_of_types.items()}
        self.by_label: dict[str, NodeModel] = {}
        self.owners: dict[str, str] = {}
        for type_name, models in self.models_of_type.items():
            for model in models:
                self._add(type_name, model)
        for model in self.by_label.values():
            self._check(model)

    @cached_property
    def models(self) -> tuple[NodeModel, ...]:
        return tuple(self.by_label.values())

    @cached_property
    def identities(self) -> tuple[NodeModel, ...]:
        """The models by which nodes are merged; each has one uniqueness constraint."""
        return tuple(dict.fromkeys(model.identity for model in self.models))

    def wire_name(self, type_name: str, model: NodeModel) -> str:
        """How a batch names its model."""
        return f"{type_name}:{model.label}"

    def kept_name(self, type_name: str, model: NodeModel) -> str:
        """How a batch of what stays as it is names its model."""
        return f"{_KEPT}{self.wire_name(type_name, model)}"

    def is_kept(self, name: str) -> bool:
        return name.startswith(_KEPT)

    @cached_property
    def by_kept_name(self) -> dict[str, NodeModel]:
        return {self.kept_name(t, m): m for t, models in self.models_of_type.items() for m in models}

    @cached_property
    def by_wire_name(self) -> dict[str, NodeModel]:
        return {self.wire_name(t, m): m for t, models in self.models_of_type.items() for m in models}

    def target(self, relationship: Relationship) -> NodeModel:
        return self.by_label[relationship.label]

    def _add(self, type_name: str, model: NodeModel) -> None:
        other = self.by_label.get(model.label)
        if other is not None and not (other.shared and model.shared):
            raise ModelError(
                f"{type_name} and {self.owners[model.label]} both own the label {model.label}: "
                "one type owns a label, unless both models say shared=True"
            )
        for one in (model, model.base) if model.base else (model,):
            known, owner = self.by_label.setdefault(one.label, one), self.owners.setdefault(one.label, type_name)
            if (known.key.name, known.labels) != (one.key.name, one.labels):
                raise ModelError(f"{type_name} and {owner} share {one.label} but disagree on its key or labels")

    def _check(self, model: NodeModel) -> None:
        names = {p.name for p in model.properties}
        if model.base and model.base.key.name != model.key.name:
            raise ModelError(
                f"{model.label} derives from {model.base.label} but has a key of its own, {model.key.name}"
            )
        if (
            model.base
            and not model.base.shared
            and any(model.base in models for models in self.models_of_type.values())
        ):
            raise ModelError(
                f"{model.label} derives from {model.base.label}, which has rows of its own: "
                f"both would own a node, unless {model.base.label} says shared=True"
            )
        if model.shared and (model.references or model.id_links):
            raise ModelError(
                f"{model.label} is shared, so no scope owns its relationships: declare them on the other end"
            )
        for spelling in model.spellings[1:]:
            if spelling in self.by_label:
                raise ModelError(f"{spelling} is a label of its own, and the other spelling of {model.label}")
        seen: set[tuple[str, str, bool]] = set()
        for relationship in model.relationships:
            where = f"{model.label}: {relationship.type} {relationship.label}"
            if relationship.label not in self.by_label:
                raise ModelError(f"{where}: no resource type declares the label {relationship.label}")
            if isinstance(relationship, IdLink) and self.by_label[relationship.label].shared:
                raise ModelError(f"{where}: nothing owns a shared node, so no id link finds it: declare a reference")
            incoming = not isinstance(relationship, Link) and relationship.incoming
            triple = (relationship.type, relationship.label, incoming)
            if triple in seen:
                raise ModelError(f"{where} is declared twice")
            seen.add(triple)
            if isinstance(relationship, Link):
                equal = relationship.through[0] if relationship.through else relationship.label
                if equal not in self.by_label:
                    raise ModelError(f"{where}: no resource type declares the label {equal}")
                other = {p.name for p in self.by_label[equal].properties}
                for mine, theirs in relationship.on:
                    if mine not in names or theirs not in other:
                        raise ModelError(f"{where}: on={{{mine!r}: {theirs!r}}} names a property that isn't there")
                if relationship.within and not any(self._reaches(r, relationship) for r in model.relationships):
                    raise ModelError(
                        f"{where}: within={relationship.within!r} is no outgoing relationship of {model.label} "
                        f"with {relationship.label}"
                    )
        for triple_type, label, incoming in seen:
            twin = self.by_label[label]
            mirror = (triple_type, model.label, not incoming)
            if any((r.type, r.label, not isinstance(r, Link) and r.incoming) == mirror for r in twin.relationships):
                raise ModelError(f"{model.label} and {label} both declare the relationship {triple_type} between them")

    def _reaches(self, relationship: Relationship, link: Link) -> bool:
        """Does the relationship lead to the nodes among which `link(within=...)` looks?"""
        if isinstance(relationship, Link) or relationship.incoming or relationship.type != link.within:
            return False
        ends = (self.by_label.get(relationship.label), self.by_label[link.label])
        return ends[0] is not None and ends[0].identity is ends[1].identity
