"""What a declaration under `tasks/` says about its nodes and relationships.

A node model is a frozen dataclass. Each field names the property that it becomes and where a response holds the value;
relationships name the label at the other end, never a class, so that declarations don't import each other. Cypher,
indexes, cleanup, the schema page and the contract test are derived from these declarations.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Final, TypeVar, cast, dataclass_transform

from loaders.errors import ChartfleetError
from loaders.source import NOT_SEEN, NotSeen, Source, Value, at, constant, parent, scope_region, scope_tenant

__all__ = [
    "NOT_SEEN",
    "TENANT_EDGE",
    "UNOWNED",
    "Each",
    "IdLink",
    "Link",
    "ModelError",
    "Node",
    "NodeModel",
    "NotSeen",
    "Property",
    "Reference",
    "Relationship",
    "Source",
    "Value",
    "at",
    "constant",
    "id_link",
    "incoming",
    "key",
    "link",
    "link_through",
    "outgoing",
    "parent",
    "prop",
    "scope_region",
    "scope_tenant",
]

# `_scope` of a stub, and of a node that many scopes share: deleted once no scope's edge to it is left.
UNOWNED: Final = "shared"
TENANT_EDGE: Final = "RESOURCE"


class ModelError(ChartfleetError, ValueError):
    """A declaration contradicts itself or another one. Raised when the registry is read, before anything runs."""


@dataclass(frozen=True, slots=True)
class Property:
    """One property of a node: its name in the graph, its source, its meaning, and whether it is indexed."""

    name: str
    source: Value
    meaning: str
    index: bool
    is_key: bool
    types: tuple[type, ...] = ()
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Reference:
    """An edge to a node named by its identity. A missing node is created as a stub, which its owner fills in later."""

    type: str
    label: str
    keys: Value
    incoming: bool = False


@dataclass(frozen=True, slots=True)
class IdLink:
    """An edge to a node named by its identity, written at the barrier and only where that node exists."""

    type: str
    label: str
    keys: Value
    incoming: bool = False

    @property
    def kept_as(self) -> str:
        """The property that stores the ids until the barrier, and across runs that don't see the node."""
        return f"_{self.type}_{self.label}"


@dataclass(frozen=True, slots=True)
class Link:
    """An edge by equal values, written at the barrier.

    within   only to nodes that this relationship type already leads to
    through  the label of a record about the node, and the relationship type by which that record names the other ends;
             the values are then compared with the record's
    """

    type: str
    label: str
    on: tuple[tuple[str, str], ...]
    within: str | None = None
    through: tuple[str, str] | None = None


Relationship = Reference | IdLink | Link

_V = TypeVar("_V")


def key(source: Value, meaning: str = "", *, index: bool = False) -> _V:  # type: ignore[type-var]
    """The key: MERGE and the uniqueness constraint use it. A row without one is reported, not written."""
    return cast(_V, Property("", source, meaning, index, is_key=True))


def prop(source: Value, meaning: str = "", *, index: bool = False) -> _V:  # type: ignore[type-var]
    """A property. `source` is a path (`Endpoint.Port`, `Subnets[].Id`) or a function. Absent stays None."""
    return cast(_V, Property("", source, meaning, index, is_key=False))


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


@dataclass(frozen=True, slots=True)
class Each:
    """A node model, and where in a listed item its own items are: a path, or a function that returns them."""

    node: type[Node]
    path: str | Callable[[Source], Iterable[Any]] = ""


@dataclass_transform(field_specifiers=(key, prop), frozen_default=True, kw_only_default=True)
class Node:
    """A node model: `class EC2Instance(Node, label="EC2Instance", labels=("Instance",), tenant="AWSAccount")`.

    label    the label that queries use, unique among models unless `shared`
    labels   further labels of the same node
    prefix   set on a base class without a label: each of its models gets a second label, the first one with this
             prefix; every node carries both, stubs included
    tenant   the label of the tenant, where `(tenant)-[:RESOURCE]->(node)` is part of the schema; no edge without it
    shared   a node that many scopes write: its properties follow from its key, and it stays as long as an edge needs it

    A class without a label is a base: every model that derives from it has its fields, relationships and prefix.

    A model that derives from another node model is the same node under one more label. It is merged by the identity of
    its base model, so that a stub made by a reference and the node itself are the same node.
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
        """One row for every item at `path` of the listed item, or that the function returns."""
        return Each(cls, path)


@dataclass(frozen=True, eq=False)
class NodeModel:
    """What a node class declares, in the form that the rest of the code uses."""

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
        """The model whose label and key identify this node."""
        return self.base.identity if self.base else self

    @cached_property
    def spellings(self) -> tuple[str, ...]:
        """Its label, and the label with its provider's prefix: the only labels of a stub."""
        prefix = self.cls.prefix
        return (self.label,) if self.label.startswith(prefix) else (self.label, f"{prefix}{self.label}")

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Every label of a node of this model, the identity label first."""
        own = (*self.spellings, *self.extra_labels)
        return tuple(dict.fromkeys((*(self.base.labels if self.base else ()), *own)))

    @cached_property
    def properties(self) -> tuple[Property, ...]:
        """The key first, then the other properties, those of bases last."""
        hints: Mapping[str, object] = typing.get_type_hints(self.cls)
        fields = dataclasses.fields(self.cls)  # type: ignore[arg-type]  # __init_subclass__ made it a dataclass
        properties = [_property(field, hints[field.name]) for field in fields]
        own = vars(self.cls).get("__annotations__", {})
        return tuple(sorted(properties, key=lambda declared: (not declared.is_key, declared.name not in own)))

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
        """Its properties whose values links compare."""
        return frozenset(mine for link in self.links for mine, _ in link.on)


def _property(field: dataclasses.Field[object], hint: object) -> Property:
    """`str | None` -> types (str,), optional. `list[str]` -> types (list,)."""
    declared: Property = field.metadata["property"]
    parts: tuple[type, ...] = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    return dataclasses.replace(
        declared,
        name=field.name,
        types=tuple(typing.get_origin(part) or part for part in parts if part is not types.NoneType),
        optional=types.NoneType in parts,
    )
