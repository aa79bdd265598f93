"""Facts of Cartography's labels that the node models don't tell: in 2020 (0.24) and in 2026 (0.143)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from loaders.cypher import labels, quoted
from loaders.model import NodeModel
from loaders.schema import GraphSchema
from loaders.scope import provider_of

# Another provider's nodes under a label that a model here has as its own: they stay as they are.
_OTHERS: Final = {"NetworkInterface": "GCPNetworkInterface", "IpPermissionInbound": "GCPIpRule"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Relabel:
    """Nodes of label `among` for which `where` holds get the label `add`, or lose the label `among`."""

    among: str
    where: str
    add: str = ""
    reason: str

    @property
    def match(self) -> str:
        return f"MATCH (n:{quoted(self.among)}) WHERE {self.where}"

    @property
    def change(self) -> str:
        return f"SET n{labels((self.add,))}" if self.add else f"REMOVE n{labels((self.among,))}"

    def __str__(self) -> str:
        return f"+{self.add}" if self.add else f"-{self.among}"


_KNOWN: Final = (
    Relabel(
        among="LoadBalancer",
        where="n:LoadBalancerV2",
        reason="0.143 calls every load balancer so: queries for classic ones would find the newer as well",
    ),
    Relabel(
        among="AWSPrincipal",
        where="n.arn ENDS WITH ':root' AND NOT n:AWSRootPrincipal AND EXISTS { (:AWSAccount)-[:RESOURCE]->(n) }",
        add="AWSRootPrincipal",
        reason="2020 has no label for the root principals of accounts",
    ),
    Relabel(
        among="IpRule",
        where="n.ruleid CONTAINS '/IpPermissionsEgress/' AND NOT n:IpPermissionEgress",
        add="IpPermissionEgress",
        reason="0.143 doesn't say by a label that these rules are for outgoing traffic",
    ),
)


def relabels(schema: GraphSchema) -> tuple[Relabel, ...]:
    """Those that the schema is concerned by, and the label of the identity wherever a node lacks it."""
    known = (one for one in _KNOWN if (one.add or one.among) in schema.by_label)
    derived = (
        Relabel(
            among=model.label,
            where=f"NOT n:{quoted(model.identity.label)}",
            add=model.identity.label,
            reason="the label by which it is one node with what other nodes call it",
        )
        for model in schema.models
        if model.base
    )
    spelled = (
        Relabel(
            among=model.label,
            where=f"NOT n:{quoted(spelling)} AND {_stays(model, schema)}",
            add=spelling,
            reason="today's spelling of the label",
        )
        for model in schema.models
        for spelling in model.spellings[1:]
    )
    return (*known, *derived, *spelled)


def _stays(model: NodeModel, schema: GraphSchema) -> str:
    """A condition on nodes of a model's label: they keep it, and are of its provider."""
    lost = "".join(f" AND NOT ({one.where})" for one in _KNOWN if one.among == model.label and not one.add)
    return f"{_not_of_another_provider(model, schema.owners[model.label])}{lost}"


def nodes(model: NodeModel, type_name: str, schema: GraphSchema, present: Collection[str]) -> Iterator[str]:
    """Statements up to WHERE that match the nodes of a model, also before the labels are put right.

    `present`: the labels that the graph has. What it hasn't isn't asked for: a statement costs its planning first.
    """
    ours = _not_of_another_provider(model, type_name)
    if model.label in present:
        yield f"MATCH (n:{quoted(model.label)}) WHERE {_stays(model, schema)}"
    for one in relabels(schema):
        if one.add == model.label and one.among in present:
            yield f"{one.match} AND {ours}"


def foreign(node: str) -> str:
    """A condition, with `$known`, on nodes that no declaration here is about: another module's, another tool's."""
    others = "".join(f" OR {node}:{quoted(label)}" for label in _OTHERS.values())
    return f"(none(l IN labels({node}) WHERE l IN $known){others})"


def known(schema: GraphSchema) -> list[str]:
    return [model.label for model in schema.models]


def _not_of_another_provider(model: NodeModel, type_name: str) -> str:
    """0.143 names on each node the module that wrote it; of 2020's the labels tell."""
    module = f"cartography:{provider_of(type_name)}"
    condition = f"coalesce(n._module_name, '{module}') = '{module}'"
    other = _OTHERS.get(model.label)
    return f"{condition} AND NOT n:{quoted(other)}" if other else condition
