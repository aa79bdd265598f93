"""The users, roles and groups of the graph, account by account, with the statements that decide what they may do."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from analysis.iam.policy_evaluation import Statement, any_of, patterns, resolved
from analysis.iam.request_context import UNDECIDED, Context, Value
from analysis.iam.variables import escaped
from loaders.graph import Graph

USERS_AND_ROLES: Final = ("AWSUser", "AWSRole")
ALL: Final = (*USERS_AND_ROLES, "AWSGroup")


@dataclass(frozen=True, slots=True)
class Principal:
    """A user, a role or a group.

    statements    of its own policies and its groups'
    boundary      of its permissions boundary; None: it has none
    id            as AIDA... or AROA...
    tags          those that its requests carry; None: not known, as a session of the role may bring its own
    organization  of its account; None: none was read that has it
    """

    arn: str
    is_role: bool
    statements: tuple[Statement, ...] = ()
    boundary: tuple[Statement, ...] | None = None
    id: str | None = None
    tags: Mapping[str, str] | None = None
    organization: str | None = None

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

    @property
    def is_group(self) -> bool:
        return self.arn.split(":", 5)[5].startswith("group/")

    def context(self, resource_account: str | None = None, resource_organization: str | None = None) -> Context:
        """What is known of its requests. `resource_account`: whose resources they are for; None: that isn't known."""
        values: dict[str, Value] = {
            "aws:principalaccount": self.account,
            "aws:principalisawsservice": "false",
            "aws:principalservicename": None,
            "aws:principalservicenameslist": None,
            "aws:principalorgid": self.organization or UNDECIDED,
            "aws:resourceaccount": resource_account or UNDECIDED,
            "aws:resourceorgid": resource_organization or UNDECIDED,
        }
        if self.is_role:
            session = f"{self.id}:*" if self.id else UNDECIDED
            own: dict[str, Value] = {
                "aws:principalarn": escaped(self.arn),
                "aws:principaltype": "AssumedRole",
                "aws:userid": session,
                "aws:username": None,
            }
        elif self.is_group:  # its members', whoever they are
            own = {"aws:principalarn": f"{start_of(self.arn)}user/*", "aws:principaltype": "User"}
        else:
            own = {
                "aws:principalarn": escaped(self.arn),
                "aws:principaltype": "User",
                "aws:userid": self.id or UNDECIDED,
                "aws:username": escaped(self.arn.rpartition("/")[2]),
                "aws:federatedprovider": None,
            }
        return Context(values | own, self.tags)

    def in_request_for(self, account: str, organization: str | None) -> Principal:
        """With what its policies say where they are asked for something of that account."""
        context = self.context(account, organization)
        boundary = None if self.boundary is None else resolved(self.boundary, context)
        return replace(self, statements=resolved(self.statements, context), boundary=boundary)


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
    organization = organizations(graph).get(account_of(start))
    for row in rows:
        yield Principal(
            row["arn"],
            row["is_role"],
            _of(row["policies"], statements),
            _boundary(row, statements),
            id=row["id"],
            tags=_tags(row),
            organization=organization,
        )


def organizations(graph: Graph) -> Mapping[str, str]:
    """By account the organization that it is in, of those that were read."""
    return {row["account"]: row["organization"] for row in graph.rows(_ORGANIZATIONS)}


def _tags(row: Mapping[str, Any]) -> Mapping[str, str] | None:
    """None for a role that trusts somebody to bring tags along, which then take the place of its own."""
    if row["is_role"] and (row["trust_policy"] is None or may_be_tagged(json.loads(row["trust_policy"]))):
        return None
    return None if row["is_group"] else {tag["key"].lower(): escaped(tag["value"]) for tag in row["tags"]}


def may_be_tagged(trust_policy: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the trust policy lets anybody assume the role with tags of a session."""
    return any(
        statement.get("Effect") == "Allow"
        and any_of(patterns(_listed(statement, "Action"), _listed(statement, "NotAction")), "sts:TagSession")
        for statement in trust_policy
    )


def _listed(statement: Mapping[str, Any], element: str) -> list[str] | None:
    value = statement.get(element)
    return value if value is None or isinstance(value, list) else [value]


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
RETURN p.arn AS arn, p:AWSRole AS is_role, p:AWSGroup AS is_group, p.permissions_boundary_arn IS NOT NULL AS bounded,
       coalesce(p.userid, p.roleid) AS id, p.trust_policy AS trust_policy,
       COLLECT {
         MATCH (p)-[:TAGGED]->(tag:AWSTag) WHERE tag.key IS NOT NULL RETURN tag {.key, .value}
       } AS tags,
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
MATCH (p:AWSPolicy {id: policy})-[:STATEMENT]->(s:AWSPolicyStatement)
RETURN policy, collect(s {
  .effect, .action, .notaction, .resource, .notresource, .condition, language_version: p.language_version
}) AS statements
"""

# The root, or a unit below it, has the account.
_ORGANIZATIONS: Final = """
MATCH (organization:AWSOrganization)-[:RESOURCE*2..3]->(account:AWSAccount)
WITH account.id AS account, collect(DISTINCT organization.id) AS found WHERE size(found) = 1
RETURN account, found[0] AS organization
"""
