"""How Cartography's labels differ from those of the node models: in 2020 (0.24) and in 2026 (0.143)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from loaders.cypher import labels, quoted
from loaders.model import NodeModel
from loaders.schema import GraphSchema
from loaders.scope import provider_of

# Another provider's nodes that carry the label of a model here: they are left alone.
_OTHERS: Final = {"NetworkInterface": "GCPNetworkInterface", "IpPermissionInbound": "GCPIpRule"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Relabel:
    """Nodes of label `among` for which `where` holds get the label `add`, or, without `add`, lose the label `among`."""

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


_CARTOGRAPHY: Final = (
    Relabel(
        among="LoadBalancer",
        where="n:LoadBalancerV2",
        reason="0.143 gives it to every load balancer: queries for classic ones would return the newer ones as well",
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
        reason="0.143 has no label for rules of outgoing traffic",
    ),
)


def relabels(schema: GraphSchema) -> tuple[Relabel, ...]:
    """The changes that concern the schema's labels, and those that add a missing label of the identity."""
    known = (change for change in _CARTOGRAPHY if (change.add or change.among) in schema.by_label)
    derived = (
        Relabel(
            among=model.label,
            where=f"NOT n:{quoted(model.identity.label)}",
            add=model.identity.label,
            reason="the label by which references from other nodes find it",
        )
        for model in schema.models
        if model.base
    )
    prefixed = (
        Relabel(
            among=model.label,
            where=f"NOT n:{quoted(spelling)} AND {_stays(model, schema)}",
            add=spelling,
            reason="the label with its provider's prefix",
        )
        for model in schema.models
        for spelling in model.spellings[1:]
    )
    return (*known, *derived, *prefixed)


def _stays(model: NodeModel, schema: GraphSchema) -> str:
    """A condition on nodes of a model's label: they keep the label, and belong to its provider."""
    lost = "".join(f" AND NOT ({c.where})" for c in _CARTOGRAPHY if c.among == model.label and not c.add)
    return f"{_not_of_another_provider(model, schema.owners[model.label])}{lost}"


def nodes(model: NodeModel, type_name: str, schema: GraphSchema, present: Collection[str]) -> Iterator[str]:
    """Statements, up to their WHERE, that match the nodes of a model even before the labels are corrected.

    `present`: the labels that the graph has. Statements for other labels are omitted, to save planning them.
    """
    ours = _not_of_another_provider(model, type_name)
    if model.label in present:
        yield f"MATCH (n:{quoted(model.label)}) WHERE {_stays(model, schema)}"
    for relabel in relabels(schema):
        if relabel.add == model.label and relabel.among in present:
            yield f"{relabel.match} AND {ours}"


def foreign(node: str) -> str:
    """A condition, with `$known`, on nodes that no declaration covers: another module's or another tool's."""
    others = "".join(f" OR {node}:{quoted(label)}" for label in _OTHERS.values())
    return f"(none(l IN labels({node}) WHERE l IN $known){others})"


def known(schema: GraphSchema) -> list[str]:
    return [model.label for model in schema.models]


def _not_of_another_provider(model: NodeModel, type_name: str) -> str:
    """0.143 stores on each node the module that wrote it; for 2020 the labels decide."""
    module = f"cartography:{provider_of(type_name)}"
    condition = f"coalesce(n._module_name, '{module}') = '{module}'"
    other = _OTHERS.get(model.label)
    return f"{condition} AND NOT n:{quoted(other)}" if other else condition
