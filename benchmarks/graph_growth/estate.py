"""A synthetic estate of any size, generated from the node models: cells that hold a tenant of each provider.

What a model says follows from it: labels, keys, properties, which relationships there are, and by which equal values
links find their ends. Only how many there are of each, and what isn't declared, is said here.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from benchmarks.graph_growth.values import REGIONS, Place, key, value
from loaders.model import TENANT_EDGE, UNOWNED, IdLink, NodeModel, Reference
from loaders.schema import GraphSchema
from loaders.scope import GLOBAL, Scope
from tasks.engine import registry
from tasks.resource import Per

TAG: Final = 2  # of the run whose data it is
FIRST_SEEN_MS: Final = 1_700_000_000_000

# Nodes of a model in each cell; of others, OTHERS.
COUNTS: Final = {
    "EC2Instance": 60, "NetworkInterface": 70, "EC2SecurityGroup": 40, "IpPermissionInbound": 80,
    "IpPermissionEgress": 40, "AWSIpRange": 20, "EC2Subnet": 15, "S3Bucket": 30, "S3Acl": 50, "AWSRole": 30,
    "AWSUser": 12, "AWSGroup": 4, "AWSManagedPolicy": 10, "AWSInlinePolicy": 15, "AWSPolicyStatement": 50,
    "AWSRoute53Record": 40, "AWSDNSZone": 6, "AWSTag": 60, "SyncTagged": 60, "EC2Image": 10, "EC2KeyPair": 8,
    "RDSSnapshot": 15, "GCPInstance": 20, "GCPNetworkInterface": 20, "GCPNicAccessConfig": 15, "GCPFirewall": 12,
    "GCPIpRule": 20, "OktaUser": 20, "OktaUserFactor": 20, "OktaGroup": 10, "GSuiteUser": 20, "Human": 20,
    "GitHubUser": 15, "GitHubRepository": 15, "SyncGitHubCollaborator": 20, "SyncGitHubMember": 15,
    "GitHubDependency": 20, "AWSAccount": 1, "GCPProject": 1, "OktaOrganization": 1, "GitHubOrganization": 1,
}  # fmt: skip
OTHERS: Final = 3
# Values that equal another node's without a declared link: property -> label and property of the other.
EQUAL: Final = {
    "NetworkInterface.vpc_id": ("AWSVpc", "id"),
    "ELBV2TargetGroup.vpc_id": ("AWSVpc", "id"),
    "AWSPeeringConnection.requester_account": ("AWSAccount", "id"),
    "AWSPeeringConnection.accepter_account": ("AWSAccount", "id"),
    "GCPNetworkInterface.vpc_partial_uri": ("GCPVpc", "id"),
    "GCPInstance.project_id": ("GCPProject", "id"),
    "GCPForwardingRule.project_id": ("GCPProject", "id"),
    "OktaGroup.aws_account_id": ("AWSAccount", "id"),
}
RELATED: Final = 0.9  # of the nodes have a relationship that their model declares
ELSEWHERE: Final = 0.05  # of the ends are in the cell before
STALE: Final = 0.01  # of the nodes were last seen by an earlier run


@dataclass(slots=True, eq=False)
class Vertex:
    """A node, before and after it is in the graph."""

    model: NodeModel
    labels: tuple[str, ...]
    properties: dict[str, Any]
    element_id: str = ""

    @property
    def key(self) -> str:
        return str(self.properties[self.model.identity.key.name])

    @property
    def is_owned(self) -> bool:
        return bool(self.properties["_scope"] != UNOWNED)


@dataclass(frozen=True, slots=True)
class Edge:
    start: Vertex
    type: str
    end: Vertex
    properties: Mapping[str, Any]


Pools = Mapping[str, Sequence[Vertex]]  # by label


@dataclass(slots=True)
class Cell:
    """One tenant of each provider, with what it owns. `scopes`: of all its types."""

    vertices: list[Vertex] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    scopes: list[Scope] = field(default_factory=list)


def nodes_per_cell(schema: GraphSchema) -> int:
    return sum(_count(schema, model) for model in schema.models)


def cells(schema: GraphSchema, nodes: int, *, one_tenant: bool = False) -> Iterator[Cell]:
    """An estate of about so many nodes, the same each time. Edges lead to the same cell, or to the one before.

    one_tenant  of each provider holds all of them: a single cell that is as large
    """
    before: Pools = {}
    times = max(1, nodes // nodes_per_cell(schema))
    for number in range(1 if one_tenant else times):
        chance = random.Random(number)
        maker = _Maker(schema, number, chance, before, times if one_tenant else 1)
        yield maker.cell()
        before = maker.pools


def _count(schema: GraphSchema, model: NodeModel, times: int = 1) -> int:
    """Nodes of the model in a cell that is so many times as large as usual."""
    return COUNTS.get(model.label, OTHERS) * (1 if model.label in _tenants(schema) else times)


@cache
def _tenants(schema: GraphSchema) -> frozenset[str]:
    """Labels of tenants."""
    return frozenset(model.tenant for model in schema.models if model.tenant)


@cache
def _compared(schema: GraphSchema) -> Mapping[str, set[str]]:
    """By label, the properties that links compare: each value is a single node's."""
    compared = defaultdict[str, set[str]](set)
    for model in schema.models:
        for link in model.links:
            label = link.through[0] if link.through else link.label
            compared[label] |= {theirs for _, theirs in link.on}
            compared[model.label] |= {mine for mine, _ in link.on} if link.through else set()
    return compared


class _Maker:
    """Makes one cell. Nodes come first, then what refers to them."""

    def __init__(self, schema: GraphSchema, number: int, chance: random.Random, before: Pools, times: int) -> None:
        self._schema, self._number, self._chance, self._before = schema, number, chance, before
        self._times = times
        self._cell = Cell()
        self._compared = _compared(schema)
        self._of_model = defaultdict[str, list[Vertex]](list)
        self.pools = defaultdict[str, list[Vertex]](list)

    def cell(self) -> Cell:
        self._cell.scopes = [scope for name in registry.types() for scope in self._scopes(name)]
        for model in self._schema.models:
            for number in range(_count(self._schema, model, self._times)):
                self._add(model, number)
        for label in sorted(self._labels_with_stubs()):
            self._add_stub(self._schema.by_label[label].identity)
        for vertex in list(self._cell.vertices):
            self._make_equal(vertex)
        for model in self._schema.models:
            for record in sorted({link.through[0] for link in model.links if link.through}):
                self._describe(model, record)
        for vertex in self._cell.vertices:
            if vertex.is_owned or vertex.model.shared:
                self._link_by_value(vertex)
                self._relate(vertex)
        return self._cell

    def _scopes(self, type_name: str) -> list[Scope]:
        type_ = registry.types()[type_name]
        regions = REGIONS if type_.per is Per.REGION else (GLOBAL,)
        return [Scope(type=type_name, tenant=self._tenant(type_.provider), region=region) for region in regions]

    def _tenant(self, provider: str) -> str:
        return Place(self._number, 0, self._chance).account if provider == "aws" else f"{provider}-{self._number}"

    def _add(self, model: NodeModel, number: int) -> None:
        place = Place(self._number, number, self._chance)
        identity = key(model, place)
        properties: dict[str, Any] = {p.name: value(model, p, place) for p in model.properties}
        properties |= {name: f"{name} of {identity}" for name in self._compared[model.label]}
        properties |= {name: identity for name in ("id", model.key.name) if name in properties}
        owner = self._chance.choice(self._scopes(self._schema.owners[model.label]))
        seen = TAG - (not model.shared and model.label not in _tenants(self._schema) and self._chance.random() < STALE)
        properties |= {"_scope": UNOWNED if model.shared else owner.id, "lastupdated": seen, "firstseen": FIRST_SEEN_MS}
        self._keep(Vertex(model, model.labels, properties))

    def _labels_with_stubs(self) -> set[str]:
        """What rows refer to, and another type reads."""
        referred = {r.label for model in self._schema.models for r in model.references if r.type != TENANT_EDGE}
        return {label for label in referred if not self._schema.by_label[label].identity.shared}

    def _add_stub(self, identity: NodeModel) -> None:
        name = key(identity, Place(self._number, 10_000_000, self._chance))
        properties = {identity.key.name: name, "_scope": UNOWNED, "lastupdated": TAG, "firstseen": FIRST_SEEN_MS}
        self._keep(Vertex(identity, identity.spellings, properties))

    def _keep(self, vertex: Vertex) -> None:
        self._cell.vertices.append(vertex)
        self._of_model[vertex.model.label].append(vertex)
        for label in vertex.labels:
            self.pools[label].append(vertex)

    def _any(self, label: str) -> Vertex | None:
        """Some are chosen much more often than others."""
        elsewhere = self._before if self._chance.random() < ELSEWHERE else self.pools
        pool = elsewhere.get(label) or self.pools.get(label)
        return pool[int(len(pool) * self._chance.random() ** 2)] if pool else None

    def _make_equal(self, vertex: Vertex) -> None:
        for name in vertex.properties.keys() & {p.name for p in vertex.model.properties}:
            if equal := EQUAL.get(f"{vertex.model.label}.{name}"):
                label, theirs = equal
                if other := self._any(label):
                    vertex.properties[name] = other.properties.get(theirs)

    def _describe(self, model: NodeModel, label: str) -> None:
        """Some of the records with this label are about nodes of this model, and get their values."""
        records = [vertex for vertex in self.pools[label] if vertex.is_owned]
        described = [
            m for m in self._schema.models if any(link.through and link.through[0] == label for link in m.links)
        ]
        own = records[described.index(model) :: len(described)]
        links = [link for link in model.links if link.through and link.through[0] == label]
        for record, vertex in zip(own, self._of_model[model.label], strict=False):
            ((mine, theirs),) = self._chance.choice(links).on
            record.properties[theirs] = vertex.properties[mine]

    def _link_by_value(self, vertex: Vertex) -> None:
        """One of its links, as several may compare the same property."""
        direct = [link for link in vertex.model.links if not link.through and not link.within]
        if direct and self._chance.random() < RELATED:
            link = self._chance.choice(direct)
            if other := self._any(link.label):
                for mine, theirs in link.on:
                    found = other.properties.get(theirs)
                    if found is not None and mine != vertex.model.identity.key.name:
                        vertex.properties[mine] = found

    def _relate(self, vertex: Vertex) -> None:
        written = {"_scope": vertex.properties["_scope"], "lastupdated": vertex.properties["lastupdated"]}
        written["firstseen"] = FIRST_SEEN_MS
        relationships: list[Reference | IdLink] = [*vertex.model.references, *vertex.model.id_links]
        for relationship in relationships:
            is_tenant = relationship.type == TENANT_EDGE and relationship.label == vertex.model.tenant
            others = self._ends(vertex, relationship, is_tenant=is_tenant)
            if isinstance(relationship, IdLink):
                vertex.properties[relationship.kept_as] = [other.key for other in others]
                continue
            for other in others:
                start, end = (other, vertex) if relationship.incoming else (vertex, other)
                self._cell.edges.append(Edge(start, relationship.type, end, written))

    def _ends(self, vertex: Vertex, relationship: Reference | IdLink, *, is_tenant: bool) -> list[Vertex]:
        if is_tenant:
            return self.pools[relationship.label][:1]
        count = self._chance.choice((1, 1, 2, 3)) if self._chance.random() < RELATED else 0
        found = {other.key: other for _ in range(count) if (other := self._any(relationship.label))}
        return [other for other in found.values() if other is not vertex]
