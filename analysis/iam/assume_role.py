"""(AWSPrincipal)-[:STS_ASSUMEROLE_ALLOW]->(AWSRole): which users and roles may assume which roles, by AWS's rules.

- The role's trust policy must always allow it. Within an account, trust in the principal itself is enough (if it is a
  role, its boundary must allow it as well); trust in the account leaves the decision to the principal's own policies
  and boundary. Across accounts both sides must allow it.
- A denial by any of these policies denies it.
- Conditions are decided as far as the graph knows the principal and the role. Those that depend on the request are
  stored on the edge, as `conditions`; an edge without them holds unconditionally.

Services and federated identities are not principals of an account and have no edges. Roles that any external principal
may assume are found by `open_trust`. Service control policies are not read.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from analysis.edges import delete_edges, write_edges
from analysis.iam import principals
from analysis.iam.arn import account_of
from analysis.iam.assume_role_findings import FINDINGS
from analysis.iam.edge_conditions import Way, as_text
from analysis.iam.policy_evaluation import ALWAYS, Access, access, any_of
from analysis.iam.principals import USERS_AND_ROLES, Principal
from analysis.iam.resources import Resources
from analysis.iam.trust import ACTION, How, Role, Trust, Trusts
from analysis.iam.trust_policy import ANYBODY
from analysis.job import Job
from loaders.graph import Graph
from loaders.pages import pages

ROLES_AT_A_TIME: Final = 2_000


@dataclass(frozen=True, slots=True)
class Edge:
    """`conditions`: JSON text of what must hold; see docs/compatibility.md. None: it holds unconditionally."""

    source: str
    target: str
    conditions: str | None


def edges(sources: Iterable[Principal], roles: Collection[Role]) -> Iterator[Edge]:
    """Which of the principals may assume which of the roles. Only pairs that a policy connects are evaluated."""
    assumable = AssumableRoles(roles)
    for source in sources:
        yield from assumable.edges(source)


class AssumableRoles:
    """Roles that are evaluated together, for one principal after the other."""

    def __init__(self, roles: Collection[Role]) -> None:
        self._roles = roles
        self._all = _Roles(roles)
        self._by_place: dict[tuple[str, str | None], _Roles] = {}

    def edges(self, source: Principal) -> Iterator[Edge]:
        """Which of them the principal may assume."""
        if any(statement.depends_on_resource for statement in (*source.statements, *(source.boundary or ()))):
            by_place = self._by_place or {place: _Roles(there) for place, there in _by_place(self._roles).items()}
            self._by_place = by_place
            for place, roles_there in by_place.items():
                yield from roles_there.edges(source.in_request_for(*place))
        else:
            yield from self._all.edges(source.in_request_for("", None))


def _by_place(roles: Iterable[Role]) -> Mapping[tuple[str, str | None], list[Role]]:
    """By account and organization."""
    by_place: defaultdict[tuple[str, str | None], list[Role]] = defaultdict(list)
    for role in roles:
        by_place[role.account, role.organization].append(role)
    return by_place


class _Roles:
    """Roles that are evaluated together."""

    def __init__(self, roles: Collection[Role]) -> None:
        self._resources = Resources(role.arn for role in roles)
        self._trusts = Trusts(roles)

    def edges(self, source: Principal) -> Iterator[Edge]:
        """`source`: with its policies resolved for requests for these roles."""
        own = access(source.statements, ACTION, self._resources)
        boundary = None if source.boundary is None else access(source.boundary, ACTION, self._resources)
        for role in sorted(own.allow.keys() | self._trusts.naming(source)):
            edge = _edge(source, role, self._trusts.of(role, source), own, boundary)
            if edge is not None:
                yield edge


def _edge(source: Principal, role: str, trust: Trust, own: Access, boundary: Access | None) -> Edge | None:
    denied = any_of(trust.denied, own.deny.get(role))
    policies: Way = {"identity": own.allow.get(role), "boundary": ALWAYS}
    if boundary is not None:
        denied = any_of(denied, boundary.deny.get(role))
        policies["boundary"] = boundary.allow.get(role)
    if denied == ALWAYS:
        return None
    ways: list[Way] = [
        {"trust": conditions} | {kind: policies[kind] for kind in _required(how, source, role)}
        for how, conditions in trust.by.items()
    ]
    possible = [way for way in ways if None not in way.values()]
    return Edge(source.arn, role, as_text(possible, denied)) if possible else None


def _required(how: How, source: Principal, role: str) -> tuple[str, ...]:
    """The principal's policies that must allow it as well."""
    if how is How.ACCOUNT or source.account != account_of(role):
        return ("identity", "boundary")
    return ("boundary",) if how is How.ITSELF and source.is_role else ()


# --- the graph ---

JOB: Final = Job(
    name="aws_iam_assume_role",
    file=Path(__file__),
    statements=(),
    reads=("aws.iam.groups", "aws.iam.policies", "aws.iam.roles", "aws.iam.users"),
    writes_relationships=(("AWSPrincipal", "STS_ASSUMEROLE_ALLOW", "AWSRole"),),
    findings=FINDINGS,
)


def write(graph: Graph, tag: int) -> None:
    """Update the relationships to the policies in the graph. Repeating it changes nothing."""
    organizations = principals.organizations(graph)
    for account in principals.accounts(graph, USERS_AND_ROLES):
        sources = list(principals.of_account(graph, account, USERS_AND_ROLES))
        for roles in pages(roles_trusting(graph, account), ROLES_AT_A_TIME):
            allowed = edges(sources, read_roles(graph, roles, organizations))
            write_edges(graph, _WRITE, map(asdict, allowed), tag)
    delete_edges(graph, _DELETE, {"tag": tag})


def roles_trusting(graph: Graph, account: str) -> list[str]:
    """ARNs of all roles that trust somebody in the account, or anybody."""
    starts = [account, account.replace(":iam:", ":sts:")]
    names = {"number": account_of(account), "iam": starts[0], "sts": starts[1], "anybody": ANYBODY}
    return [row["arn"] for row in graph.rows(_TRUSTING, names)]


def read_roles(graph: Graph, arns: list[str], organizations: Mapping[str, str]) -> list[Role]:
    return [
        Role.of(row["arn"], row["trust_policy"], row["version"], organizations.get(account_of(row["arn"])))
        for row in graph.rows(_ROLES, {"arns": arns})
    ]


_TRUSTING: Final = """
MATCH (named:AWSPrincipal)
WHERE named.arn IN [$anybody, $number] OR named.arn STARTS WITH $iam OR named.arn STARTS WITH $sts
MATCH (role:AWSRole)-[:TRUSTS_AWS_PRINCIPAL]->(named)
WHERE role.trust_policy IS NOT NULL
RETURN DISTINCT role.arn AS arn ORDER BY arn
"""

_ROLES: Final = """
UNWIND $arns AS arn
MATCH (role:AWSPrincipal {arn: arn})
RETURN arn, role.trust_policy AS trust_policy, role.trust_policy_version AS version
"""

_WRITE: Final = """
UNWIND $edges AS edge
MATCH (source:AWSPrincipal {arn: edge.source})
MATCH (role:AWSPrincipal {arn: edge.target})
MERGE (source)-[may:STS_ASSUMEROLE_ALLOW]->(role)
  ON CREATE SET may.firstseen = timestamp()
SET may.lastupdated = $tag, may.conditions = edge.conditions
"""

# Only for roles that a scope has read: edges that an earlier tool left on others are kept, adopted or not.
_DELETE: Final = """
MATCH (source:AWSPrincipal)-[may:STS_ASSUMEROLE_ALLOW]->(role:AWSPrincipal)
WHERE may._scope IS NULL AND source._scope IS NOT NULL AND role._scope IS NOT NULL
  AND role.trust_policy IS NOT NULL
  AND (may.lastupdated IS NULL OR may.lastupdated <> $tag)
WITH may LIMIT $limit DELETE may RETURN count(*) AS deleted
"""
