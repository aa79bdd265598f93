"""The users, roles and groups of the graph, account by account, with the statements that apply to them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypedDict, cast

from analysis.iam.arn import account_of, account_prefix
from analysis.iam.policy_evaluation import ALLOW_ALL, Statement, resolved
from analysis.iam.policy_variables import escaped
from analysis.iam.request_context import UNDECIDED, Context, Value
from analysis.iam.trust_policy import allows_session_tags
from loaders.graph import Graph

USERS_AND_ROLES: Final = ("AWSUser", "AWSRole")
ALL: Final = (*USERS_AND_ROLES, "AWSGroup")


@dataclass(frozen=True, slots=True)
class Principal:
    """A user, a role or a group.

    statements    of its own policies and its groups' policies
    boundary      statements of its permissions boundary; None: it has none
    id            AIDA... or AROA...
    tags          the tags of its requests; None: not known, because a session of the role may set its own
    organization  of its account; None: not known
    policies      ids of its own policies and its groups' policies
    groups        ARNs of its groups
    bounded_by    ARN of its permissions boundary; None: it has none
    unread        ids of its policies and groups that were not read: what they allow or deny isn't known
    """

    arn: str
    is_role: bool
    statements: tuple[Statement, ...] = ()
    boundary: tuple[Statement, ...] | None = None
    id: str | None = None
    tags: Mapping[str, str] | None = None
    organization: str | None = None
    policies: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    bounded_by: str | None = None
    unread: tuple[str, ...] = ()

    @property
    def account(self) -> str:
        return account_of(self.arn)

    @property
    def root(self) -> str:
        """The ARN that represents its account."""
        return f"{account_prefix(self.arn)}root"

    @property
    def session(self) -> str:
        """The ARN of the role's sessions without their names: it has the role's name but not its path."""
        prefix = account_prefix(self.arn).replace(":iam:", ":sts:")
        return f"{prefix}assumed-role/{self.arn.rpartition('/')[2]}" if self.is_role else ""

    @property
    def is_group(self) -> bool:
        return self.arn.split(":", 5)[5].startswith("group/")

    def context(self, resource_account: str | None = None, resource_organization: str | None = None) -> Context:
        """What is known of its requests. `resource_account`: the owner of the resource; None: not known."""
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
        elif self.is_group:  # the context of any of its members
            own = {"aws:principalarn": f"{account_prefix(self.arn)}user/*", "aws:principaltype": "User"}
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
        """With its policies' statements as they apply to requests for resources of that account."""
        context = self.context(account, organization)
        boundary = None if self.boundary is None else resolved(self.boundary, context)
        return replace(self, statements=resolved(self.statements, context), boundary=boundary)

    def at_most(self) -> Principal:
        """With the most that its unread policies could allow."""
        boundary, unread = self.boundary, set(self.unread)
        if boundary is not None and self.bounded_by in unread:
            boundary, unread = (*boundary, ALLOW_ALL), unread - {self.bounded_by}
        statements = (*self.statements, ALLOW_ALL) if unread else self.statements
        return replace(self, statements=statements, boundary=boundary)


def accounts(graph: Graph, kinds: Sequence[str]) -> list[str]:
    """The ARN prefix of each account of which such principals were read: `arn:aws:iam::111122223333:`."""
    return [row["start"] for row in graph.rows(_ACCOUNTS, {"kinds": list(kinds)})]


class _Tag(TypedDict):
    key: str
    value: str


class _Policy(TypedDict):
    id: str
    read: bool


class _Group(TypedDict):
    arn: str
    read: bool


class _Row(TypedDict):
    """What _PRINCIPALS returns. `bounded_by`: the ARN of its boundary, read or not."""

    arn: str
    is_role: bool
    is_group: bool
    bounded_by: str | None
    id: str | None
    trust_policy: str | None
    tags: list[_Tag]
    groups: list[_Group]
    policies: list[_Policy]
    boundary: list[_Policy]


def of_account(graph: Graph, prefix: str, kinds: Sequence[str]) -> Iterator[Principal]:
    """The principals of one account with one of these labels. A policy or boundary that was not read allows nothing."""
    rows = cast("list[_Row]", graph.rows(_PRINCIPALS, {"start": prefix, "kinds": list(kinds)}))
    needed = {policy["id"] for row in rows for policy in (*row["policies"], *row["boundary"])}
    statements = {
        row["policy"]: tuple(Statement.of(node) for node in row["statements"])
        for row in graph.rows(_STATEMENTS, {"policies": sorted(needed)})
    }
    organization = organizations(graph).get(account_of(prefix))
    for row in rows:
        yield Principal(
            row["arn"],
            row["is_role"],
            _of(row["policies"], statements),
            _boundary(row, statements),
            id=row["id"],
            tags=_tags(row),
            organization=organization,
            policies=tuple(policy["id"] for policy in row["policies"]),
            groups=tuple(group["arn"] for group in row["groups"]),
            bounded_by=row["bounded_by"],
            unread=tuple(_unread(row)),
        )


def organizations(graph: Graph) -> Mapping[str, str]:
    """The organization of each account, as far as organizations were read."""
    return {row["account"]: row["organization"] for row in graph.rows(_ORGANIZATIONS)}


def _tags(row: _Row) -> Mapping[str, str] | None:
    """None for a role whose trust policy allows session tags, because these replace the role's own."""
    if row["is_role"] and (row["trust_policy"] is None or allows_session_tags(json.loads(row["trust_policy"]))):
        return None
    return None if row["is_group"] else {tag["key"].lower(): escaped(tag["value"]) for tag in row["tags"]}


def _of(policies: list[_Policy], statements: Mapping[str, tuple[Statement, ...]]) -> tuple[Statement, ...]:
    return tuple(statement for policy in policies for statement in statements.get(policy["id"], ()))


def _unread(row: _Row) -> Iterator[str]:
    yield from (policy["id"] for policy in row["policies"] if not policy["read"])
    yield from (group["arn"] for group in row["groups"] if not group["read"])
    if row["bounded_by"] is not None and not any(policy["read"] for policy in row["boundary"]):
        yield row["bounded_by"]


def _boundary(row: _Row, statements: Mapping[str, tuple[Statement, ...]]) -> tuple[Statement, ...] | None:
    return None if row["bounded_by"] is None else _of(row["boundary"], statements)


_ACCOUNTS: Final = """
MATCH (p:AWSPrincipal) WHERE any(kind IN labels(p) WHERE kind IN $kinds) AND p._scope IS NOT NULL
WITH DISTINCT split(p.arn, ':')[..5] AS parts
RETURN reduce(start = '', part IN parts | start + part + ':') AS start ORDER BY start
"""

# Only edges that rows wrote: not those copied from groups, nor those left by an earlier tool.
_PRINCIPALS: Final = """
MATCH (p:AWSPrincipal)
WHERE p.arn STARTS WITH $start AND any(kind IN labels(p) WHERE kind IN $kinds) AND p._scope IS NOT NULL
RETURN p.arn AS arn, p:AWSRole AS is_role, p:AWSGroup AS is_group, p.permissions_boundary_arn AS bounded_by,
       coalesce(p.userid, p.roleid) AS id, p.trust_policy AS trust_policy,
       COLLECT {
         MATCH (p)-[:TAGGED]->(tag:AWSTag) WHERE tag.key IS NOT NULL RETURN tag {.key, .value}
       } AS tags,
       COLLECT {
         MATCH (p)-[:MEMBER_AWS_GROUP]->(group:AWSPrincipal)
         RETURN {arn: group.arn, read: group.groupid IS NOT NULL} ORDER BY group.arn
       } AS groups,
       COLLECT {
         MATCH (p)-[:MEMBER_AWS_GROUP*0..1]->(holder:AWSPrincipal)-[has:POLICY]->(policy:AWSPolicy)
         WHERE has._scope IS NOT NULL
         WITH DISTINCT policy ORDER BY policy.id
         RETURN {id: policy.id, read: policy.type IS NOT NULL}
       } AS policies,
       COLLECT {
         MATCH (policy:AWSPolicy)
         WHERE policy.id IN [p.permissions_boundary_arn, split(p.arn, ':')[4] + '/' + p.permissions_boundary_arn]
         RETURN {id: policy.id, read: policy.type IS NOT NULL}
       } AS boundary
ORDER BY arn
"""

# A policy that no scope has read has only an id; such a group has only an ARN.
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
  .id, .effect, .action, .notaction, .resource, .notresource, .condition, language_version: p.language_version
}) AS statements
"""

# Accounts are below the root or below a unit.
_ORGANIZATIONS: Final = """
MATCH (organization:AWSOrganization)-[:RESOURCE*2..3]->(account:AWSAccount)
WITH account.id AS account, collect(DISTINCT organization.id) AS found WHERE size(found) = 1
RETURN account, found[0] AS organization
"""
