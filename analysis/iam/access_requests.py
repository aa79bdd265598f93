"""What `can` and `who-can` ask: an action and a resource as a user writes them, with what the graph holds of the
resource: its account, the trust policy of a role, the policy of a bucket.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from analysis.iam import principals, service_authorization
from analysis.iam.action_parts import works_on
from analysis.iam.decision import BUCKET_POLICY, ROLE_TRUST, Asked, ResourcePolicy
from analysis.iam.patterns import overlaps
from analysis.iam.policy_evaluation import (
    Statement,
    combined,
)
from analysis.iam.resources import Part, Resources
from analysis.iam.service_authorization import Action
from analysis.iam.trust import TrustStatement
from analysis.iam.trust_policy import PrincipalClause, clauses
from loaders.errors import UsageError
from loaders.graph import Graph
from loaders.nearest import did_you_mean

NOT_CONSIDERED: Final = (
    "service control policies and resource control policies",
    "session policies",
    "resource policies other than the trust policies of roles and the policies of S3 buckets",
)
_ARN: Final = re.compile(r"arn:[^:]+:[^:]+:[^:]*:[^:]*:.+", re.DOTALL)
_VARIABLE: Final = re.compile(r"\$\{\w+\}")
EVERYTHING: Final = "*"


def asked(graph: Graph, action: str, resource: str) -> Asked:
    """Raises UsageError if there is no such action, or if it doesn't work on such a resource."""
    known = _action(action)
    arn, resources = _resources(known, resource)
    if arn == EVERYTHING:
        return Asked(str(known), arn, resources)
    account = arn.split(":")[4] or None
    policy: ResourcePolicy | None = None
    match known.service:
        case "sts":
            policy = _trust(graph, str(known), arn)
        case "s3":
            account, policy = _bucket(graph, str(known), arn, resources)
        case "iam":
            policy = ResourcePolicy("resource policy", arn)  # IAM has none, so other accounts have no access
        case "kms":
            policy = ResourcePolicy("key policy", arn, needed=True, unread=f"the key policy of {arn}")
    organization = principals.organizations(graph).get(account) if account else None
    return Asked(str(known), arn, resources, policy, account, organization)


def _action(text: str) -> Action:
    service, _, name = text.partition(":")
    found = [] if "*" in text or "?" in text else service_authorization.actions(text)
    if len(found) == 1:
        return found[0]
    if "*" in text or "?" in text:
        raise UsageError(f'"{text}" is several actions: name one, such as s3:GetObject')
    names = service_authorization.names(service)
    if not names:
        services = service_authorization.services()
        raise UsageError(f'"{text}": AWS has no service "{service}"{did_you_mean(service, services)}')
    near = did_you_mean(f"{service.lower()}:{name}", names)
    raise UsageError(f'"{text}": {service} has no action "{name}" as of {service_authorization.date()}{near}')


def _resources(action: Action, text: str) -> tuple[str, Resources]:
    """The resource that is evaluated. A star at the end means everything that begins so; an action that works on no
    kind of resource is on `*`, whatever was given.
    """
    formats = works_on(action)
    if not formats or text == EVERYTHING:
        if formats:
            raise UsageError(f'"*": name a resource that {action} works on: {" or ".join(formats)}')
        return EVERYTHING, Resources((EVERYTHING,))
    if not _ARN.fullmatch(text):
        raise UsageError(f'"{text}" is not an ARN: {action} works on {" or ".join(formats)}')
    start, star = text.removesuffix("*"), text.endswith("*")
    if any(wild in start for wild in "*?"):
        raise UsageError(f'"{text}": only the end of a resource may be a star')
    if not any(overlaps(_VARIABLE.sub("?*", form), text) for form in formats):
        raise UsageError(f'{action} doesn\'t work on "{text}", but on {" or ".join(formats)}')
    if not star:
        return text, Resources((text,))
    return start[:-1], Resources((start[:-1],), (Part(start[-1]),))


def _trust(graph: Graph, action: str, arn: str) -> ResourcePolicy:
    [role] = graph.rows(_ROLE, {"arn": arn}) or [{"policy": None, "version": None}]
    if role["policy"] is None:
        return ResourcePolicy(ROLE_TRUST, arn, needed=True, unread=f"the trust policy of {arn}")
    found = clauses(json.loads(role["policy"]), action, role["version"])
    return ResourcePolicy(ROLE_TRUST, arn, tuple(map(_statement, found)), needed=True)


def _statement(clause: PrincipalClause) -> TrustStatement:
    return TrustStatement(clause.allows, clause.names("AWS"), clause.negated, clause.condition, clause.name)


def _bucket(graph: Graph, action: str, arn: str, resources: Resources) -> tuple[str | None, ResourcePolicy]:
    """Its account, and what its policy says of the action on these resources."""
    bucket = arn.partition("/")[0]
    found = graph.rows(_BUCKET, {"arn": bucket})
    if not found:
        return None, ResourcePolicy(BUCKET_POLICY, bucket, unread=f"the policy of {bucket}")
    [row] = found
    if not row["read"]:
        return row["account"], ResourcePolicy(BUCKET_POLICY, bucket, unread=f"the policy of {bucket}")
    statements = (one for node in row["statements"] for one in _on(node, action, arn, resources))
    return row["account"], ResourcePolicy(BUCKET_POLICY, bucket, tuple(statements))


def _on(node: Mapping[str, Any], action: str, arn: str, resources: Resources) -> Iterator[TrustStatement]:
    """The statement of a bucket's policy, if it is about the action and the resource."""
    condition = node["condition"] and json.dumps([json.loads(node["condition"])])
    version = node["version"] or "2008-10-17"
    statement = Statement.of({**node, "condition": condition, "language_version": version})
    if not statement.applies_to(action):
        return
    found = combined([statement], resources)
    conditions = (found.allow if statement.allows else found.deny).get(arn)
    if conditions is None:
        return
    negated = node["notprincipal"] is not None
    principal = json.loads(node["notprincipal"] if negated else node["principal"] or "{}")
    clause = PrincipalClause(statement.allows, negated, principal, next(iter(conditions), None), str(node["name"]))
    yield _statement(clause)


# The organization's bucket policies are evaluated as of the last complete run over them.
_BUCKET: Final = """
MATCH (b:S3Bucket {arn: $arn})
RETURN [(account:AWSAccount)-[:RESOURCE]->(b) | account.id][0] AS account,
       EXISTS {
         MATCH (account:AWSAccount)-[:RESOURCE]->(b)
         MATCH (s:SyncScope {provider: 'aws', tenant: account.id, type: 'aws.s3.policy_statements'})
         WHERE s.complete_at IS NOT NULL
       } AS read,
       COLLECT {
         MATCH (b)-[:POLICY_STATEMENT]->(s:S3PolicyStatement)
         RETURN s {.effect, .principal, .notprincipal, .action, .notaction, .resource, .notresource, .condition,
                   version: s.policy_version,
                   name: coalesce(s.sid, split(substring(s.id, size(s.bucket)), '/')[2])} ORDER BY s.id
       } AS statements
"""

_ROLE: Final = """
MATCH (role:AWSPrincipal {arn: $arn})
RETURN role.trust_policy AS policy, role.trust_policy_version AS version
"""
