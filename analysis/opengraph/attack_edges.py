"""The steps of attack paths as edges, and what principals can become as nodes: one account after the other.

`CAN_BECOME` and `ADMINISTERS` are proven; `MAY_BECOME` and `MAY_ADMINISTER` hold under conditions that the edge names,
or weren't judged because a policy was not read. An administrator of an account gets everything there. All are as old
as what the oldest of their account's scopes saw.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from analysis.iam.arn import account_of
from analysis.iam.attack_account import TYPES
from analysis.iam.attack_paths import Accounts, Administrator, walk
from analysis.iam.attack_steps import Certainty, Node, Step
from analysis.opengraph import elements
from loaders.graph import Graph
from loaders.iso_time import iso_time

Age = Mapping[str, str | None]

ACCOUNT: Final = "AWSAccount"
PERMISSIONS: Final = "AWSPermissions"  # a principal with more than it has: any permissions, or those of a group
_BECOMES: Final = {True: "CAN_BECOME", False: "MAY_BECOME"}
_ADMINISTERS: Final = {True: "ADMINISTERS", False: "MAY_ADMINISTER"}
_ASSUMES: Final = "sts-001"  # of users and roles themselves, relationships of the graph say it


def elements_of(graph: Graph) -> Iterator[dict[str, Any]]:
    """Nodes and edges. Holds one account at a time."""
    accounts = Accounts.of_graph(graph)
    oldest = {row["account"]: row["oldest"] for row in graph.rows(_SEEN, {"types": list(TYPES)})}
    for prefix in accounts.prefixes:
        age = {"seen_at": iso_time(oldest.get(account_of(prefix)))}
        for reached in walk(accounts.read(prefix)):
            if reached.node.having:
                yield _node(reached.node, age)
            if reached.administrator is not None:
                yield _administers(reached.node, reached.administrator, age)
            for found in _by_target(reached.steps).values():
                yield _step(found, age)


def id_of(node: Node) -> str:
    if not node.having:
        return elements.node_id(elements.PRINCIPAL, node.arn)
    return elements.node_id(PERMISSIONS, "|".join((node.arn, node.having, *node.without)))


def _node(node: Node, age: Age) -> dict[str, Any]:
    name = f"{node.arn.rpartition('/')[2]} with {node.having}"
    properties = {"arn": node.arn, "having": node.having, "replaced_policies": list(node.without), **age}
    return elements.node(id_of(node), (PERMISSIONS,), name, properties)


def _by_target(steps: Sequence[Step]) -> Mapping[Node, list[Step]]:
    by_target: dict[Node, list[Step]] = {}
    for step in steps:
        if step.way.id != _ASSUMES or step.source.having:
            by_target.setdefault(step.target, []).append(step)
    return by_target


def _step(steps: list[Step], age: Age) -> dict[str, Any]:
    """The most certain of the ways between two nodes, and the names of the others."""
    best, *others = sorted(steps, key=lambda step: (step.certainty, step.way.id))
    properties = {
        "verdict": best.certainty.text,
        "way": best.way.id,
        "title": best.way.title,
        "actions": list(dict.fromkeys(requirement.action for requirement in best.way.requires)),
        "conditions": [f"{action} if {text}" for action, text in best.conditions.items()],
        "assumptions": list(best.assumptions),
        "not_read": list(best.unread),
        "other_ways": sorted({step.way.id for step in others} - {best.way.id}),
        **age,
    }
    kind = _BECOMES[best.certainty is Certainty.PROVEN]
    return elements.edge(id_of(best.source), kind, id_of(best.target), properties)


def _administers(node: Node, found: Administrator, age: Age) -> dict[str, Any]:
    properties = {"verdict": found.certainty.text, "conditions": found.under, "not_read": list(found.unread), **age}
    kind = _ADMINISTERS[found.certainty is Certainty.PROVEN]
    return elements.edge(id_of(node), kind, elements.node_id(ACCOUNT, account_of(node.arn)), properties)


_SEEN: Final = """
MATCH (scope:SyncScope) WHERE scope.type IN $types AND scope.complete_at IS NOT NULL
RETURN scope.tenant AS account, min(scope.complete_at) AS oldest
"""
