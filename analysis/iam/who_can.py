"""Who may do an action on a resource, by the policies in the graph: one principal, or all users and roles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from analysis.iam import principals
from analysis.iam.decision import Asked, Decision, Verdict, decide
from analysis.iam.principals import ALL, USERS_AND_ROLES, Principal
from loaders.errors import UsageError
from loaders.graph import Graph
from loaders.nearest import nearest
from loaders.reason import counted

IAM_TYPES: Final = ("aws.iam.groups", "aws.iam.policies", "aws.iam.roles", "aws.iam.users")
MAX_NAMED: Final = 10


@dataclass(frozen=True, slots=True)
class NotSeen:
    """A scope that was not complete when it was last read. `since_ms`: when it last was; None: never."""

    tenant: str
    region: str
    type: str
    status: str
    reason: str | None
    since_ms: int | None


def find(graph: Graph, text: str) -> Principal:
    """The user, role or group with that ARN, or with that name if it is the only one. Raises UsageError."""
    arn = text if text.startswith("arn:") else _named(graph, text)
    for principal in principals.of_account(graph, arn, ALL):
        if principal.arn == arn:
            return principal
    arns = [row["arn"] for row in graph.rows(_ALL)]
    raise UsageError(f'"{text}": the graph has no such user, role or group{_did_you_mean(text, arns)}')


def _named(graph: Graph, name: str) -> str:
    arns = [row["arn"] for row in graph.rows(_NAMED, {"name": name})]
    if len(arns) == 1:
        return str(arns[0])
    if not arns:
        names = [row["arn"].rpartition("/")[2] for row in graph.rows(_ALL)]
        raise UsageError(f'"{name}": the graph has no user, role or group of that name{_did_you_mean(name, names)}')
    more = f" and {len(arns) - MAX_NAMED} more" if len(arns) > MAX_NAMED else ""
    listed = ", ".join(arns[:MAX_NAMED])
    raise UsageError(f'"{name}" is the name of {counted(len(arns), "principal")}: name it by ARN: {listed}{more}')


def _did_you_mean(text: str, known: Sequence[str]) -> str:
    near = nearest(text, known, count=3)
    return f"; did you mean {' or '.join(near)}?" if near else ""


def who_can(graph: Graph, asked: Asked) -> Iterator[tuple[Principal, Decision]]:
    """All users and roles that may do it, or for which that isn't known, by ARN. Holds one account at a time."""
    for account in principals.accounts(graph, USERS_AND_ROLES):
        for principal in principals.of_account(graph, account, USERS_AND_ROLES):
            decision = decide(principal, asked)
            if decision.verdict is not Verdict.NO:
                yield principal, decision


def not_seen(graph: Graph, types: Sequence[str]) -> list[NotSeen]:
    """The scopes of these types that were not completely read."""
    return [NotSeen(**row) for row in graph.rows(_NOT_SEEN, {"types": list(types)})]


_NAMED: Final = """
MATCH (p:AWSPrincipal)
WHERE (p:AWSUser OR p:AWSRole OR p:AWSGroup) AND p.name = $name AND p._scope IS NOT NULL
RETURN p.arn AS arn ORDER BY arn
"""

_ALL: Final = """
MATCH (p:AWSPrincipal) WHERE (p:AWSUser OR p:AWSRole OR p:AWSGroup) AND p._scope IS NOT NULL
RETURN p.arn AS arn
"""

_NOT_SEEN: Final = """
UNWIND $types AS type
MATCH (s:SyncScope {type: type}) WHERE s.status <> 'complete'
RETURN s.tenant AS tenant, s.region AS region, s.type AS type, s.status AS status, s.reason AS reason,
       s.complete_at AS since_ms
ORDER BY tenant, type, region
"""
