"""(AWSPrincipal)-[:CAN_READ]->(S3Bucket) and the like: which users, roles and groups may use which resources of their
account, by the rules of `permission_rules` and AWS's evaluation of the policies in the graph.

- Allowed is what the policies of a principal or its groups allow, its boundary allows as well, and none of them denies.
- Conditions are decided as far as the graph knows the principal. Those that depend on the request are stored on the
  relationship, as `conditions`; a relationship without them holds unconditionally.
- A resource in a policy may stand for parts of it, and a permission with wildcards for any of its actions: see
  `permission_grants`.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from analysis.edges import delete_edges, write_edges
from analysis.iam import principals
from analysis.iam.arn import account_of
from analysis.iam.edge_conditions import as_text, conditions_of, denials_of
from analysis.iam.permission_grants import Grant, questions
from analysis.iam.permission_rules import ACCOUNT, Rule, targets
from analysis.iam.principals import ALL, NOT_ALL_READ, Principal
from analysis.job import Findings, Job
from loaders.cypher import quoted
from loaders.graph import Graph
from loaders.model import NodeModel
from loaders.pages import pages
from loaders.schema import GraphSchema

RESOURCES_AT_A_TIME: Final = 2_000


@dataclass(frozen=True, slots=True)
class Edge:
    """`conditions`: JSON text of what must hold for any of `permissions`; None: they hold unconditionally.

    conditional_permissions  what else is allowed, under conditions that aren't stored, if `permissions` need none
    """

    source: str
    target: str
    permissions: list[str]
    conditional_permissions: list[str] | None
    conditions: str | None


def edges(sources: Iterable[Principal], rule: Rule, arns: Collection[str]) -> Iterator[Edge]:
    """Which of the principals may use which of the resources. Only pairs that a policy connects are evaluated."""
    asked = list(questions(rule.permissions, arns))
    for principal in sources:
        source = principal.in_request_for(principal.account, principal.organization)
        grants: defaultdict[str, dict[str, list[Grant]]] = defaultdict(dict)
        for question in asked:
            for arn, grant, permissions in question.grants(source):
                for permission in permissions:
                    grants[arn].setdefault(permission, []).append(grant)
        for arn in sorted(grants):
            yield _edge(source.arn, arn, grants[arn])


def _edge(source: str, target: str, grants: Mapping[str, Sequence[Grant]]) -> Edge:
    always = sorted(name for name, of_name in grants.items() if any(grant.always for grant in of_name))
    if always:
        conditional = sorted(grants.keys() - set(always))
        return Edge(source, target, always, conditional or None, None)
    return Edge(source, target, sorted(grants), None, _conditions(grants))


def _conditions(grants: Mapping[str, Sequence[Grant]]) -> str | None:
    """If the permissions have different conditions, each way names its own permissions."""
    by_grant: defaultdict[Grant, list[str]] = defaultdict(list)
    for permission in sorted(grants):
        for grant in dict.fromkeys(grants[permission]):
            by_grant[grant].append(permission)
    if len(by_grant) == 1:
        [grant] = by_grant
        return as_text([grant.way], grant.denied)
    ways = [
        {"permissions": permissions, **conditions_of(grant.way), **denials_of(grant.denied)}
        for grant, permissions in by_grant.items()
    ]
    return json.dumps({"any_of": ways})


# --- the graph ---

JOB: Final = Job(
    name="aws_permission_relationships",
    file=Path(__file__),
    statements=(),
    reads=(
        "aws.dynamodb.tables",
        "aws.iam.groups",
        "aws.iam.policies",
        "aws.iam.roles",
        "aws.iam.users",
        "aws.redshift.clusters",
        "aws.s3.buckets",
    ),
    writes_relationships=(
        ("AWSPrincipal", "CAN_READ", "S3Bucket"),
        ("AWSPrincipal", "CAN_WRITE", "S3Bucket"),
        ("AWSPrincipal", "CAN_QUERY", "DynamoDBTable"),
        ("AWSPrincipal", "CAN_ADMINISTER", "RedshiftCluster"),
    ),
    findings=Findings(
        name="principals that may use resources",
        one="principal that may use resources",
        text=(
            "Users, roles and groups, in their own account, by their policies and boundaries; the relationship has the "
            "conditions, if any. Not known: those with a policy that was not read. Resource policies, service control "
            "policies and other accounts are not considered."
        ),
        query=f"""
MATCH (p:AWSPrincipal) WHERE (p:AWSUser OR p:AWSRole OR p:AWSGroup) AND p._scope IS NOT NULL
WITH p, {NOT_ALL_READ} AS unknown,
     COLLECT {{
       MATCH (p)-[may]->() WHERE may._by_rule
       WITH type(may) AS relationship, count(*) AS resources, count(may.conditions) AS conditional
       ORDER BY relationship
       RETURN {{relationship: relationship, resources: resources, conditional: conditional}}
     }} AS found
ORDER BY reduce(total = 0, kind IN found | total + kind.resources) DESC, p.arn
RETURN count(CASE WHEN size(found) > 0 THEN 1 END) AS count, count(CASE WHEN unknown THEN 1 END) AS unknown,
       collect(CASE WHEN size(found) > 0 THEN {{principal: p.arn, may: found}} END)[..10] AS examples
""",
    ),
)


def job(rules: Sequence[Rule], schema: GraphSchema) -> Job:
    """The job with what these rules read and write."""
    known = targets(schema)
    types = {schema.owners[known[rule.target_label].label] for rule in rules}
    return replace(
        JOB,
        reads=tuple(sorted(types | {type_ for type_ in JOB.reads if type_.startswith("aws.iam.")})),
        writes_relationships=tuple(("AWSPrincipal", rule.relationship_name, rule.target_label) for rule in rules),
    )


def write(graph: Graph, rules: Sequence[Rule], schema: GraphSchema, tag: int) -> None:
    """Update the relationships to the rules and the policies in the graph. Repeating it changes nothing."""
    known = targets(schema)
    for account in principals.accounts(graph, ALL):
        sources = list(principals.of_account(graph, account, ALL))
        for rule in rules:
            model = known[rule.target_label]
            for page in pages(_resources(graph, account, rule, model), RESOURCES_AT_A_TIME):
                keys = dict(page)
                rows = (asdict(edge) | {"target": keys[edge.target]} for edge in edges(sources, rule, keys))
                write_edges(graph, _statement(rule, model), rows, tag)
    for rule in rules:
        delete_edges(graph, _stale(rule), {"tag": tag})
    wanted = [{"type": rule.relationship_name, "label": rule.target_label} for rule in rules]
    delete_edges(graph, _UNWANTED, {"wanted": wanted})


def _resources(graph: Graph, account: str, rule: Rule, model: NodeModel) -> list[tuple[str, str]]:
    """ARN and key of each resource of the account."""
    query = (
        f"MATCH (:{ACCOUNT} {{id: $account}})-[:RESOURCE]->(n:{quoted(rule.target_label)}) WHERE n.arn IS NOT NULL "
        f"RETURN n.arn AS arn, n.{quoted(model.key.name)} AS key ORDER BY arn"
    )
    return [(row["arn"], row["key"]) for row in graph.rows(query, {"account": account_of(account)})]


def _statement(rule: Rule, model: NodeModel) -> str:
    identity = model.identity
    return f"""
UNWIND $edges AS edge
MATCH (source:AWSPrincipal {{arn: edge.source}})
MATCH (target:{quoted(identity.label)} {{{quoted(identity.key.name)}: edge.target}})
MERGE (source)-[may:{quoted(rule.relationship_name)}]->(target)
  ON CREATE SET may.firstseen = timestamp()
SET may.lastupdated = $tag, may._by_rule = true, may.permissions = edge.permissions, may.conditions = edge.conditions,
    may.conditional_permissions = edge.conditional_permissions
"""


# Only for principals and resources that scopes have read, and if all policies are known: other edges are kept.
def _stale(rule: Rule) -> str:
    return f"""
MATCH (p:AWSPrincipal)-[may:{quoted(rule.relationship_name)}]->(target:{quoted(rule.target_label)})
WHERE may._scope IS NULL AND p._scope IS NOT NULL AND target._scope IS NOT NULL
  AND (may.lastupdated IS NULL OR may.lastupdated <> $tag) AND NOT {NOT_ALL_READ}
WITH may LIMIT $limit DELETE may RETURN count(*) AS deleted
"""


# Written by rules that no longer exist.
_UNWANTED: Final = """
MATCH (:AWSPrincipal)-[may]->(target)
WHERE may._by_rule AND NOT any(rule IN $wanted WHERE rule.type = type(may) AND rule.label IN labels(target))
WITH may LIMIT $limit DELETE may RETURN count(*) AS deleted
"""
