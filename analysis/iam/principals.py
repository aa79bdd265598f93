"""The users, roles and groups of the graph, account by account, with the statements that decide what they may do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from analysis.iam.policy_evaluation import Statement
from loaders.graph import Graph

USERS_AND_ROLES: Final = ("AWSUser", "AWSRole")
ALL: Final = (*USERS_AND_ROLES, "AWSGroup")


@dataclass(frozen=True, slots=True)
class Principal:
    """A user, a role or a group.

    statements  of its own policies and its groups'
    boundary    of its permissions boundary; None: it has none
    """

    arn: str
    is_role: bool
    statements: tuple[Statement, ...] = ()
    boundary: tuple[Statement, ...] | None = None

    @property
    def account(self) -> str:
        return account_of(self.arn)

    @property
    def root(self) -> str:
        """What stands for its account."""
        return f"{start_of(self.arn)}root"

    @property
    def session(self) -> str:
        """The ARN of a role's sessions without their names: it has the role's name, and not its path."""
        start = start_of(self.arn).replace(":iam:", ":sts:")
        return f"{start}assumed-role/{self.arn.rpartition('/')[2]}" if self.is_role else ""


def account_of(arn: str) -> str:
    return arn.split(":")[4]


def start_of(arn: str) -> str:
    """`arn:aws:iam::111122223333:`, with which the ARNs of an account begin."""
    return ":".join(arn.split(":")[:5]) + ":"


def accounts(graph: Graph, kinds: Sequence[str]) -> list[str]:
    """Each account that such principals were read of, as their ARNs begin: `arn:aws:iam::111122223333:`."""
    return [row["start"] for row in graph.rows(_ACCOUNTS, {"kinds": list(kinds)})]


def of_account(graph: Graph, start: str, kinds: Sequence[str]) -> Iterator[Principal]:
    """Those of one account that have one of these labels. A policy, or a boundary, that was not read says nothing."""
    rows = graph.rows(_PRINCIPALS, {"start": start, "kinds": list(kinds)})
    needed = {policy for row in rows for policy in (*row["policies"], *row["boundary"])}
    statements = {
        row["policy"]: tuple(Statement.of(node) for node in row["statements"])
        for row in graph.rows(_STATEMENTS, {"policies": sorted(needed)})
    }
    for row in rows:
        yield Principal(row["arn"], row["is_role"], _of(row["policies"], statements), _boundary(row, statements))


def _of(policies: list[str], statements: Mapping[str, tuple[Statement, ...]]) -> tuple[Statement, ...]:
    return tuple(statement for policy in policies for statement in statements.get(policy, ()))


def _boundary(row: Mapping[str, Any], statements: Mapping[str, tuple[Statement, ...]]) -> tuple[Statement, ...] | None:
    return _of(row["boundary"], statements) if row["bounded"] else None


_ACCOUNTS: Final = """
MATCH (p:AWSPrincipal) WHERE any(kind IN labels(p) WHERE kind IN $kinds) AND p._scope IS NOT NULL
WITH DISTINCT split(p.arn, ':')[..5] AS parts
RETURN reduce(start = '', part IN parts | start + part + ':') AS start ORDER BY start
"""

# Edges that rows wrote; what was copied from groups, and what an earlier tool left, are not asked again.
_PRINCIPALS: Final = """
MATCH (p:AWSPrincipal)
WHERE p.arn STARTS WITH $start AND any(kind IN labels(p) WHERE kind IN $kinds) AND p._scope IS NOT NULL
RETURN p.arn AS arn, p:AWSRole AS is_role, p.permissions_boundary_arn IS NOT NULL AS bounded,
       COLLECT {
         MATCH (p)-[:MEMBER_AWS_GROUP*0..1]->(holder:AWSPrincipal)-[has:POLICY]->(policy:AWSPolicy)
         WHERE has._scope IS NOT NULL
         RETURN DISTINCT policy.id ORDER BY policy.id
       } AS policies,
       COLLECT {
         MATCH (policy:AWSPolicy)
         WHERE policy.id IN [p.permissions_boundary_arn, split(p.arn, ':')[4] + '/' + p.permissions_boundary_arn]
         RETURN policy.id
       } AS boundary
ORDER BY arn
"""

# Of a policy that no scope has read only the id is there, of a group only the ARN.
NOT_ALL_READ: Final = """(
  EXISTS {
    MATCH (p)-[:MEMBER_AWS_GROUP*0..1]->(:AWSPrincipal)-[has:POLICY]->(policy:AWSPolicy)
    WHERE has._scope IS NOT NULL AND policy.type IS NULL
  }
  OR EXISTS { MATCH (p)-[:MEMBER_AWS_GROUP]->(unread:AWSPrincipal) WHERE unread.groupid IS NULL }
  OR p.permissions_boundary_arn IS NOT NULL AND NOT EXISTS {
    MATCH (policy:AWSPolicy)
    WHERE policy.id IN [p.permissions_boundary_arn, split(p.arn, ':')[4] + '/' + p.permissions_boundary_arn]
      AND policy.type IS NOT NULL
  }
)"""

_STATEMENTS: Final = """
UNWIND $policies AS policy
MATCH (:AWSPolicy {id: policy})-[:STATEMENT]->(s:AWSPolicyStatement)
RETURN policy, collect(s {.effect, .action, .notaction, .resource, .notresource, .condition}) AS statements
"""
