"""Permission relationships in an account with 1,000 principals and 2,000 resources: python -m benchmarks.permissions

Evaluates the default rules and writes the relationships to an embedded Neo4j, and compares that with evaluating each
pair individually, which is done for a sample. Exit code 1 if it takes more than 60 seconds or 1 GB.
"""

from __future__ import annotations

import json
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from analysis.iam import permissions
from loaders import indexes
from loaders.graph import Graph
from tasks.engine import registry
from tests.unit.analysis.iam.naive_policies import Request, is_allowed
from workers import embedded
from workers.fleet.permissions import rules

ACCOUNT: Final = "111122223333"
START: Final = f"arn:aws:iam::{ACCOUNT}:"
TEAMS: Final = 40
USERS, ROLES, GROUPS = 300, 600, 100
BUCKETS, TABLES, CLUSTERS = 1_200, 700, 100
ADMINISTRATORS, READERS, BOUNDED = 20, 30, 200
MAX_SECONDS, MAX_BYTES = 60, 10**9
SAMPLE: Final = (50, 200)  # principals, resources
MFA: Final = json.dumps([{"Bool": {"aws:MultiFactorAuthPresent": "true"}}])


@dataclass(frozen=True)
class Holder:
    """A principal with its inline policy, and the groups it is a member of."""

    arn: str
    label: str
    statements: list[dict[str, Any]]
    groups: list[str]
    boundary: str | None


def main() -> int:
    chance = random.Random(1)  # the same estate in every run
    arns = resources()
    estate = holders(chance, arns)
    with tempfile.TemporaryDirectory(prefix="chartfleet-") as directory:
        say = lambda line: print(line, file=sys.stderr)  # noqa: E731
        with (
            embedded.using(Path(directory), say=say, broker=False) as services,
            closing(Graph.at(services.graph)) as graph,
        ):
            indexes.ensure(graph, registry.schema())
            fill(graph, estate, arns)
            seconds = [drawn(graph, tag) for tag in (1, 2)]
            counted = graph.rows("MATCH (:AWSPrincipal)-[may]->() WHERE may._by_rule RETURN count(*) AS edges")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    one_by_one = naive_seconds(chance, estate, arns)
    pairs = len(estate) * sum(map(len, arns.values()))
    print(f"{len(estate):,} principals x {pairs // len(estate):,} resources: {pairs:,} pairs")
    print(f"relationships          {counted[0]['edges']:>9,}")
    print(f"first time             {seconds[0]:>9.1f} s")
    print(f"again, nothing changed {seconds[1]:>9.1f} s")
    print(f"peak memory            {peak / 10**6:>9.0f} MB")
    print(
        f"pair by pair           {one_by_one:>9.1f} s, estimated from {SAMPLE[0]} x {SAMPLE[1]} pairs, without writing"
    )
    print(f"ratio                  {one_by_one / seconds[0]:>9.1f}")
    return 0 if max(seconds) < MAX_SECONDS and peak < MAX_BYTES else 1


def drawn(graph: Graph, tag: int) -> float:
    start = time.monotonic()
    permissions.write(graph, rules(None), registry.schema(), tag)
    return time.monotonic() - start


# -- the estate


def resources() -> dict[str, list[str]]:
    """ARNs by label. Names contain the team."""
    places = {
        "S3Bucket": (BUCKETS, "arn:aws:s3:::"),
        "DynamoDBTable": (TABLES, f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/"),
        "RedshiftCluster": (CLUSTERS, f"arn:aws:redshift:eu-west-1:{ACCOUNT}:cluster:"),
    }
    return {
        label: [f"{start}team-{number % TEAMS:02}-{number:04}" for number in range(count)]
        for label, (count, start) in places.items()
    }


def holders(chance: random.Random, arns: Mapping[str, Sequence[str]]) -> list[Holder]:
    """Administrators, readers of everything, and mostly principals that use the resources of their team."""
    groups = [f"{START}group/team-{number:03}" for number in range(GROUPS)]
    names = [("AWSGroup", arn) for arn in groups]
    names += [("AWSUser", f"{START}user/user-{number:04}") for number in range(USERS)]
    names += [("AWSRole", f"{START}role/role-{number:04}") for number in range(ROLES)]
    all_holders = []
    for number, (label, arn) in enumerate(names):
        all_holders.append(
            Holder(
                arn,
                label,
                list(statements(chance, number, arns)),
                chance.sample(groups, 2) if label == "AWSUser" else [],
                f"{START}policy/limit" if len(names) - number <= BOUNDED else None,
            )
        )
    return all_holders


def statements(chance: random.Random, number: int, arns: Mapping[str, Sequence[str]]) -> Iterator[dict[str, Any]]:
    if number % (1000 // ADMINISTRATORS) == 0:
        yield statement(["*"], ["*"])
    elif number % (1000 // READERS) == 1:
        yield statement(["s3:Get*", "s3:List*", "dynamodb:Get*", "dynamodb:Query"], ["*"])
        yield statement(["s3:GetObject"], [f"{chance.choice(arns['S3Bucket'])}/secret/*"], effect="Deny")
    team = f"team-{number % TEAMS:02}-*"
    yield statement(
        ["s3:GetObject*", "s3:PutObject"], [f"arn:aws:s3:::{team}/*"], condition=MFA if number % 3 else None
    )
    yield statement(["dynamodb:*"], [f"arn:aws:dynamodb:*:{ACCOUNT}:table/{team}"])
    for bucket in chance.sample(arns["S3Bucket"], 5):
        yield statement(["s3:GetObject"], [bucket, f"{bucket}/{chance.choice(('*', 'public/*', '${aws:username}/*'))}"])
    for table in chance.sample(arns["DynamoDBTable"], 3):
        yield statement(["dynamodb:GetItem", "dynamodb:Query"], [table, f"{table}/index/*"])
    cluster = chance.choice(arns["RedshiftCluster"])
    yield statement(["redshift:GetClusterCredentials"], [cluster])
    yield statement(["s3:*"], [f"arn:aws:s3:::team-{(number + 1) % TEAMS:02}-*"], effect="Deny")


def statement(
    actions: list[str], resources: list[str], *, effect: str = "Allow", condition: str | None = None
) -> dict[str, Any]:
    return {
        "effect": effect,
        "action": actions,
        "notaction": None,
        "resource": resources,
        "notresource": None,
        "condition": condition,
    }


LIMIT: Final = [statement(["s3:*", "dynamodb:*", "redshift:*"], ["*"])]


def fill(graph: Graph, estate: Sequence[Holder], arns: Mapping[str, Sequence[str]]) -> None:
    """As the rows of complete scopes would."""
    write(graph, "CREATE (:AWSAccount {id: $account, _scope: 's'})", account=ACCOUNT)
    for label, some in arns.items():
        write(
            graph,
            f"MATCH (a:AWSAccount) UNWIND $arns AS arn CREATE (a)-[:RESOURCE {{_scope: 's'}}]->"
            f"(:{label} {{id: arn, arn: arn, _scope: 's'}})",
            arns=list(some),
        )
    policies = [{"id": f"{holder.arn}/inline_policy/own", "statements": holder.statements} for holder in estate]
    write(
        graph,
        "UNWIND $policies AS policy CREATE (p:AWSPolicy {id: policy.id, type: 'inline', _scope: 's'})"
        " WITH p, policy UNWIND policy.statements AS s CREATE (p)-[:STATEMENT]->(n:AWSPolicyStatement) SET n += s",
        policies=[*policies, {"id": f"{START}policy/limit", "statements": LIMIT}],
    )
    for label in ("AWSGroup", "AWSUser", "AWSRole"):
        write(
            graph,
            f"UNWIND $holders AS h CREATE (p:AWSPrincipal:{label} {{arn: h.arn, groupid: h.arn, _scope: 's'}})"
            " SET p.permissions_boundary_arn = h.boundary"
            " WITH p, h MATCH (policy:AWSPolicy {id: h.arn + '/inline_policy/own'})"
            " CREATE (p)-[:POLICY {_scope: 's'}]->(policy)"
            " WITH p, h UNWIND h.groups AS arn MATCH (g:AWSPrincipal {arn: arn})"
            " CREATE (p)-[:MEMBER_AWS_GROUP {_scope: 's'}]->(g)",
            holders=[vars(holder) | {"statements": None} for holder in estate if holder.label == label],
        )


def write(graph: Graph, query: str, **parameters: Any) -> None:
    graph.write(lambda tx: tx.run(query, parameters).consume())


# -- pair by pair


def naive_seconds(chance: random.Random, estate: Sequence[Holder], arns: Mapping[str, Sequence[str]]) -> float:
    """Seconds to evaluate every pair, with each permission that the rules have for the resource's label."""
    policies = {holder.arn: holder.statements for holder in estate}
    sample = chance.sample(list(estate), SAMPLE[0])
    of_label = {
        label: [p for rule in rules(None) if rule.target_label == label for p in rule.permissions] for label in arns
    }
    every = [(arn, label) for label, some in arns.items() for arn in some]
    chosen = chance.sample(every, SAMPLE[1])
    start = time.monotonic()
    for holder in sample:
        own = [statement for arn in (holder.arn, *holder.groups) for statement in policies[arn]]
        for arn, label in chosen:
            for permission in of_label[label]:
                is_allowed(Request(permission, f"{arn}/x", []), own, LIMIT if holder.boundary else None)
    seconds = time.monotonic() - start
    return seconds * len(estate) * len(every) / (len(sample) * len(chosen))


if __name__ == "__main__":
    sys.exit(main())
