"""(AWSPrincipal)-[:CAN_READ]->(S3Bucket) and the like: which users, roles and groups may use which resources of their
account, by the rules of `permission_rules` and AWS's evaluation of what the graph holds.

- Allowed is what a principal's own and its groups' policies allow, its boundary as well, and none of them denies.
- Conditions are decided by what the graph knows of the principal; what depends on the request the relationship keeps
  as `conditions`. It has none only where nothing has to hold.
- What a policy means by a resource may be parts of it, and a permission with wildcards is any of its actions:
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

from analysis.edges import EDGES_PER_TRANSACTION, delete, pages
from analysis.iam import principals
from analysis.iam.edge_conditions import as_text, conditions_of, unless
from analysis.iam.permission_grants import Grant, questions
from analysis.iam.permission_rules import ACCOUNT, Rule, targets
from analysis.iam.principals import ALL, NOT_ALL_READ, Principal, account_of
from analysis.job import Findings, Job
from loaders.cypher import quoted
from loaders.graph import Graph
from loaders.model import NodeModel
from loaders.schema import GraphSchema

RESOURCES_AT_A_TIME: Final = 2_000


@dataclass(frozen=True, slots=True)
class Edge:
    """`conditions`: JSON text of what must hold for any of `permissions`; None: nothing has to.

    conditional_permissions  what else is allowed, under conditions that aren't told, where `permissions` need none
    """

    source: str
    target: str
    permissions: list[str]
    conditional_permissions: list[str] | None
    conditions: str | None


def edges(sources: Iterable[Principal], rule: Rule, arns: Collection[str]) -> Iterator[Edge]:
    """Who of the principals may use which of the resources of their account. Only pairs that may come to something are
    looked at.
    """
    asked = list(questions(rule.permissions, arns))
    for principal in sources:
        source = principal.in_request_for(principal.account, principal.organization)
        found: defaultdict[str, dict[str, list[Grant]]] = defaultdict(dict)
        for question in asked:
            for arn, grant, permissions in question.grants(source):
                for permission in permissions:
                    found[arn].setdefault(permission, []).append(grant)
        for arn in sorted(found):
            yield _edge(source.arn, arn, found[arn])


def _edge(source: str, target: str, grants: Mapping[str, Sequence[Grant]]) -> Edge:
    always = sorted(permission for permission, some in grants.items() if any(grant.always for grant in some))
    if always:
        conditional = sorted(grants.keys() - set(always))
        return Edge(source, target, always, conditional or None, None)
    return Edge(source, target, sorted(grants), None, _conditions(grants))


def _conditions(grants: Mapping[str, Sequence[Grant]]) -> str | None:
    """Where permissions differ in what must hold, each way names its own."""
    by_grant: defaultdict[Grant, list[str]] = defaultdict(list)
    for permission in sorted(grants):
        for grant in dict.fromkeys(grants[permission]):
            by_grant[grant].append(permission)
    if len(by_grant) == 1:
        [grant] = by_grant
        return as_text([grant.way], grant.denied)
    ways = [
        {"permissions": permissions, **conditions_of(grant.way), **unless(grant.denied)}
        for grant, permissions in by_grant.items()
    ]
    return json.dumps({"any_of": ways})


# --- in the graph ---

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
            "conditions, if any. Not known: those with a policy that was not read. Resource policies, what an "
            "organization forbids, and other accounts aren't looked at."
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
ORDER BY reduce(most = 0, one IN found | most + one.resources) DESC, p.arn
RETURN count(CASE WHEN size(found) > 0 THEN 1 END) AS count, count(CASE WHEN unknown THEN 1 END) AS unknown,
       collect(CASE WHEN size(found) > 0 THEN {{principal: p.arn, may: found}} END)[..10] AS examples
""",
    ),
)


def job(rules: Sequence[Rule], schema: GraphSchema) -> Job:
    """What the rules read and write."""
    known = targets(schema)
    read = {schema.owners[known[rule.target_label].label] for rule in rules}
    return replace(
        JOB,
        reads=tuple(sorted(read | {type_ for type_ in JOB.reads if type_.startswith("aws.iam.")})),
        writes_relationships=tuple(("AWSPrincipal", rule.relationship_name, rule.target_label) for rule in rules),
    )


def draw(graph: Graph, rules: Sequence[Rule], schema: GraphSchema, tag: int) -> None:
    """Make the relationships what rules and policies say now. Repeating it changes nothing."""
    known = targets(schema)
    for account in principals.accounts(graph, ALL):
        sources = list(principals.of_account(graph, account, ALL))
        for rule in rules:
            model = known[rule.target_label]
            for page in pages(_resources(graph, account, rule, model), RESOURCES_AT_A_TIME):
                _draw(graph, edges(sources, rule, dict(page)), dict(page), _statement(rule, model), tag)
    for rule in rules:
        delete(graph, _stale(rule), {"tag": tag})
    wanted = [{"type": rule.relationship_name, "label": rule.target_label} for rule in rules]
    delete(graph, _UNWANTED, {"wanted": wanted})


def _draw(graph: Graph, found: Iterator[Edge], keys: Mapping[str, str], query: str, tag: int) -> None:
    for page in pages(found, EDGES_PER_TRANSACTION):
        rows = [asdict(edge) | {"target": keys[edge.target]} for edge in page]
        graph.write(lambda tx, rows=rows: tx.run(query, edges=rows, tag=tag).consume())  # type: ignore[misc]


def _resources(graph: Graph, account: str, rule: Rule, model: NodeModel) -> list[tuple[str, str]]:
    """ARN and key of each that belongs to the account."""
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


# Of principals and resources that scopes have read, and of whom every policy is known: of others the earlier stay.
def _stale(rule: Rule) -> str:
    return f"""
MATCH (p:AWSPrincipal)-[may:{quoted(rule.relationship_name)}]->(target:{quoted(rule.target_label)})
WHERE may._scope IS NULL AND p._scope IS NOT NULL AND target._scope IS NOT NULL
  AND (may.lastupdated IS NULL OR may.lastupdated <> $tag) AND NOT {NOT_ALL_READ}
WITH may LIMIT $limit DELETE may RETURN count(*) AS deleted
"""


# Drawn by rules that are no more.
_UNWANTED: Final = """
MATCH (:AWSPrincipal)-[may]->(target)
WHERE may._by_rule AND NOT any(rule IN $wanted WHERE rule.type = type(may) AND rule.label IN labels(target))
WITH may LIMIT $limit DELETE may RETURN count(*) AS deleted
"""
