"""Which scope would have written each node, as far as the graph shows. Read only, so that it serves the preview too.

In this order: the tenant's edge to the node, the ARN in its key, what the node refers to, and what refers to it. The
region is the node's own, its ARN's, or that of such a neighbour. Assigning a node to the wrong scope does no harm: its
real scope takes it over when it lists it; otherwise it is deleted, or kept as a stub while other nodes need it.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from loaders.adoption.labels import nodes
from loaders.cypher import pattern, quoted
from loaders.graph import Graph
from loaders.model import TENANT_EDGE, IdLink, NodeModel, Reference
from loaders.schema import GraphSchema
from loaders.scope import GLOBAL, Scope, provider_of

IDS_PER_PAGE: Final = 1_000
MAX_NEIGHBOURS: Final = 20  # of one relationship: any of them shows the tenant
ARN: Final = re.compile(r"arn:[^:]*:[^:]*:(?P<region>[^:]*):(?P<tenant>\d{12}):")

OWN, OTHER, REFERRING = range(
    3
)  # kinds of neighbours, best first: of the same type, others it refers to, those that refer to it
Neighbour = tuple[int, str, str | None]  # kind, element id, `_scope`


@dataclass(frozen=True, slots=True)
class Place:
    """What is known of a node's scope. `region` is None if its type has regions and the node's isn't known."""

    type: str
    tenant: str | None
    region: str | None

    @property
    def scope(self) -> str | None:
        known = self.tenant is not None and self.region is not None
        return Scope(type=self.type, tenant=str(self.tenant), region=str(self.region)).id if known else None


@dataclass(slots=True)
class Owners:
    """Nodes by element id.

    scopes      model -> the scope of each node
    shared      identity -> nodes that many scopes share, or that only references create
    orphans     model -> nodes without a tenant
    left_alone  label -> how many have a tenant but no region, so that no scope would recognize them, or belong to
                several tenants; and how many are tenants that hold nothing
    keyless     label -> how many lack the key: their scope creates them again
    """

    scopes: dict[NodeModel, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    shared: dict[NodeModel, list[str]] = field(default_factory=lambda: defaultdict(list))
    orphans: dict[NodeModel, list[str]] = field(default_factory=lambda: defaultdict(list))
    left_alone: Counter[str] = field(default_factory=Counter)
    keyless: Counter[str] = field(default_factory=Counter)


def tenant_labels(schema: GraphSchema) -> dict[str, str]:
    """The label of a provider's tenants."""
    return {
        provider_of(name): model.tenant
        for name, models in schema.models_of_type.items()
        for model in models
        if model.tenant
    }


def find(graph: Graph, schema: GraphSchema, regional: Collection[str], into: Mapping[str, str]) -> Owners:
    """`regional`: the types that have regions. `into`: duplicates still to be merged -> the node to keep."""
    return _Search(graph, schema, regional, into).owners()


class _Search:
    def __init__(self, graph: Graph, schema: GraphSchema, regional: Collection[str], into: Mapping[str, str]) -> None:
        self._graph = graph
        self._present = graph.labels()
        self._schema = schema
        self._regional = regional
        self._into = into
        self._tenants = tenant_labels(schema)
        self._known = {provider: self._ids_of(label) for provider, label in self._tenants.items()}
        self._scopes: dict[str, str] = {}  # node -> scope, of all models
        self._names: dict[str, str] = {}  # interned: one string per scope, however many nodes it has
        self._pending: dict[str, tuple[NodeModel, Place]] = {}
        self._owners = Owners()

    def owners(self) -> Owners:
        for type_name, models in self._schema.models_of_type.items():
            for model in models:
                if not model.shared and not self._is_tenant(model):
                    self._place_by_itself(model, type_name)
        self._place_by_neighbours()
        for identity in self._schema.identities:
            if identity.shared or not any(identity in models for models in self._schema.models_of_type.values()):
                self._share(identity)
        return self._owners

    def _is_tenant(self, model: NodeModel) -> bool:
        return model.label in self._tenants.values()

    def _ids_of(self, label: str) -> set[str]:
        name = quoted(self._schema.by_label[label].key.name)
        return {str(row["id"]) for row in self._graph.stream(f"MATCH (t:{quoted(label)}) RETURN t.{name} AS id")}

    # -- the node itself

    def _place_by_itself(self, model: NodeModel, type_name: str) -> None:
        label = self._tenants.get(provider_of(type_name))
        tenants = "[]"
        if label:
            key = quoted(self._schema.by_label[label].key.name)
            tenants = (
                f"[(t:{quoted(label)})-[e:{TENANT_EDGE}]->(n) WHERE t.{key} IS NOT NULL | "
                f"[-coalesce(toIntegerOrNull(e.lastupdated), 0), t.{key}]]"
            )
        for match in nodes(model, type_name, self._schema, self._present):
            for row in self._graph.stream(
                f"{match} AND n._scope IS NULL RETURN elementId(n) AS id, n.{quoted(model.key.name)} AS key, "
                f"n.arn AS arn, n.region AS region, {tenants} AS tenants"
            ):
                node = self._into.get(row["id"], row["id"])
                if node in self._scopes:
                    continue
                if row["key"] is None:
                    self._owners.keyless[model.label] += 1
                self._place(node, model, self._own_place(type_name, row))

    def _own_place(self, type_name: str, row: Mapping[str, Any]) -> Place:
        provider = provider_of(type_name)
        tenant = str(min(row["tenants"])[1]) if row["tenants"] else None
        region = row["region"] if type_name in self._regional else GLOBAL
        for name in (row["key"], row["arn"]):
            arn = ARN.match(name) if isinstance(name, str) else None
            if arn and arn["tenant"] in self._known.get(provider, ()):
                tenant, region = tenant or arn["tenant"], region or arn["region"] or None
        return Place(type_name, tenant, region)

    def _place(self, node: str, model: NodeModel, place: Place) -> bool:
        scope = place.scope
        if scope is None:
            self._pending[node] = (model, place)
            return False
        self._pending.pop(node, None)
        self._scopes[node] = self._owners.scopes[model][node] = self._names.setdefault(scope, scope)
        return True

    # -- its neighbours

    def _place_by_neighbours(self) -> None:
        neighbours = dict(self._neighbours())
        several = set(self._of_several_tenants())
        for node in several:  # choosing one of them would be a guess
            neighbours[node] = [neighbour for neighbour in neighbours[node] if neighbour[0] != REFERRING]
        while self._learn(neighbours, OTHER) or self._learn(neighbours, REFERRING):
            pass
        left = {node for node, (_, place) in self._pending.items() if place.tenant or node in several}

        def is_left(of: Sequence[Neighbour]) -> bool:  # as a node of the same type that it refers to is
            return any(kind == OWN and other in left for kind, other, _ in of)

        while more := {node for node in self._pending if node not in left and is_left(neighbours.get(node, ()))}:
            left |= more
        for node, (model, _) in self._pending.items():
            if node in left:
                self._owners.left_alone[model.label] += 1
            else:
                self._owners.orphans[model].append(node)

    def _learn(self, neighbours: Mapping[str, Sequence[Neighbour]], least: int) -> bool:
        """One round over the pending nodes. Was any of them placed?"""
        known: list[tuple[str, NodeModel, Place]] = []
        for node, (model, place) in self._pending.items():
            scopes = sorted(
                (kind, scope)
                for kind, other, own in neighbours.get(node, ())
                if kind <= least and (scope := own or self._scopes.get(other))
            )
            for neighbour in (Scope.parse(text) for _, text in scopes):
                if neighbour.provider != provider_of(place.type):
                    continue
                place = replace(
                    place,
                    tenant=place.tenant or neighbour.tenant,
                    region=place.region or (neighbour.region if neighbour.has_region else None),
                )
            if place.scope:
                known.append((node, model, place))
        for node, model, place in known:
            self._place(node, model, place)
        return bool(known)

    def _neighbours(self) -> Iterator[tuple[str, list[Neighbour]]]:
        by_model: dict[tuple[NodeModel, str], list[str]] = defaultdict(list)
        for node, (model, place) in self._pending.items():
            by_model[model, place.type].append(node)
        for (model, type_name), ids in by_model.items():
            patterns = ", ".join(self._patterns(model, type_name)) or "[]"
            query = (
                "UNWIND $ids AS id MATCH (n) WHERE elementId(n) = id "
                f"RETURN id, reduce(all = [], some IN [{patterns}] | all + some) AS neighbours"
            )
            for start in range(0, len(ids), IDS_PER_PAGE):
                for row in self._graph.rows(query, {"ids": ids[start : start + IDS_PER_PAGE]}):
                    raw: list[Neighbour] = row["neighbours"]
                    neighbours = [
                        (kind, self._into.get(other, other), scope if scope and "/" in scope else None)
                        for kind, other, scope in raw
                    ]
                    yield row["id"], neighbours

    def _of_several_tenants(self) -> Iterator[str]:
        """Nodes without a tenant that nodes of several tenants refer to: an AWS-managed policy in 0.143, for example.

        Owned by one tenant, whose fetch knows them by another key, they would be reduced for all the others too.
        """
        by_model: dict[tuple[NodeModel, str], list[str]] = defaultdict(list)
        for node, (model, place) in self._pending.items():
            if place.tenant is None:
                by_model[model, place.type].append(node)
        for (model, type_name), ids in by_model.items():
            label = self._tenants.get(provider_of(type_name))
            referring = [(other, r) for other, r in self._referring(model) if label and other.tenant == label]
            for start in range(0, len(ids), IDS_PER_PAGE):
                tenants: dict[str, set[str]] = defaultdict(set)
                for other, r in referring:
                    edge = pattern(r.type, "", incoming=not r.incoming)
                    query = (
                        "UNWIND $ids AS id MATCH (n) WHERE elementId(n) = id "
                        f"MATCH (n){edge}(x:{quoted(other.label)})<-[:{TENANT_EDGE}]-(t:{quoted(str(label))}) "
                        "RETURN DISTINCT id, elementId(t) AS tenant"
                    )
                    for row in self._graph.rows(query, {"ids": ids[start : start + IDS_PER_PAGE]}):
                        tenants[row["id"]].add(row["tenant"])
                yield from (node for node, referring_tenants in tenants.items() if len(referring_tenants) > 1)

    def _referring(self, model: NodeModel) -> Iterator[tuple[NodeModel, Reference | IdLink]]:
        """The models, except tenants, that refer to nodes of the model, and by which relationship."""
        for other in self._schema.models:
            structure: tuple[Reference | IdLink, ...] = (*other.references, *other.id_links)
            for r in structure:
                if self._schema.target(r).identity is model.identity and not self._is_tenant(other):
                    yield other, r

    def _patterns(self, model: NodeModel, type_name: str) -> Iterator[str]:
        """Pattern comprehensions, one per relationship, that list the node's neighbours as [kind, id, scope]."""

        def to(kind: int, relationship: str, label: str, *, incoming: bool) -> str:
            edge = pattern(relationship, "", incoming=incoming)
            return f"[(n){edge}(x:{quoted(label)}) | [{kind}, elementId(x), x._scope]][..{MAX_NEIGHBOURS}]"

        own = self._schema.models_of_type[type_name]
        structure: tuple[Reference | IdLink, ...] = (*model.references, *model.id_links)
        for r in structure:
            target = self._schema.target(r)
            if not target.shared and not self._is_tenant(target):
                kind = OWN if any(target.identity is sibling.identity for sibling in own) else OTHER
                yield to(kind, r.type, r.label, incoming=r.incoming)
        for other, r in self._referring(model):
            yield to(REFERRING, r.type, other.label, incoming=not r.incoming)

    # -- what is shared

    def _share(self, identity: NodeModel) -> None:
        """Collect shared nodes. Of tenants only those that hold data: whether the others still exist isn't known."""
        type_name = self._schema.owners[identity.label]
        mine = {provider for provider, label in self._tenants.items() if label == identity.label}
        with_data = {scope.tenant for scope in map(Scope.parse, self._names) if scope.provider in mine}
        taken = {node for orphans in self._owners.orphans.values() for node in orphans}
        taken |= self._scopes.keys() | self._pending.keys()
        key = quoted(identity.key.name)
        for match in nodes(identity, type_name, self._schema, self._present):
            holds = f"EXISTS {{ (n)-[e:{TENANT_EDGE}]->() WHERE e._scope IS NOT NULL }}"
            query = f"{match} AND n._scope IS NULL RETURN elementId(n) AS id, n.{key} AS key, {holds} AS holds"
            for row in self._graph.stream(query):
                node = self._into.get(row["id"], row["id"])
                if node in taken:
                    continue
                taken.add(node)
                if mine and not row["holds"] and row["key"] not in with_data:
                    self._owners.left_alone[identity.label] += 1
                else:
                    self._owners.shared[identity].append(node)
