"""Who may use what, from policies in the simulator and in the graph to relationships: drawn, kept, deleted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from analysis import engine
from analysis.iam import permissions
from analysis.iam.permission_rules import Rule
from loaders.graph import Graph
from tasks.engine import registry
from tests.fleet.command import Command, Ended
from tests.fleet.running import graph_variables
from tests.servers.aws import AwsServer
from workers import embedded
from workers.fleet.permissions import rules

ACCOUNT = "111122223333"
BUCKET = "arn:aws:s3:::logs"
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
READ = Rule(target_label="S3Bucket", permissions=("s3:GetObject",), relationship_name="CAN_READ")
WRITE = Rule(target_label="AWSS3Bucket", permissions=("s3:PutObject",), relationship_name="CAN_WRITE")


def arn(name: str, account: str = ACCOUNT) -> str:
    return f"arn:aws:iam::{account}:{name}"


def edges(graph: Graph) -> set[tuple[str, str, str]]:
    rows = graph.rows("MATCH (p:AWSPrincipal)-[e]->(t) WHERE type(e) STARTS WITH 'CAN_' RETURN p.arn, type(e), t.arn")
    return {(row["p.arn"].rpartition(":")[2], row["type(e)"], row["t.arn"].rpartition(":")[2]) for row in rows}


# --- a whole sync ---


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsServer]:
    with AwsServer() as server:
        yield server


@pytest.fixture
def command(tmp_path: Path, aws: AwsServer, services: embedded.Services) -> Command:
    return Command(
        tmp_path,
        {
            "AWS_ENDPOINT_URL": aws.url,
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "x",
            "CHARTFLEET_AWS_REGIONS": "us-east-1",
            "CHARTFLEET_AWS_REQUESTED_SYNCS": "account,iam,s3.buckets",
            "CHARTFLEET_CONCURRENCY": "1",  # one worker less to start
            **graph_variables(services.graph),
        },
    )


def verdict(ended: Ended) -> dict[str, Any]:
    finding: dict[str, Any]
    [finding] = [found for found in ended.json["findings"] if found["job"] == permissions.JOB.name]
    return finding


def test_from_policies_to_relationships_and_by_a_file_of_ones_own(
    command: Command, aws: AwsServer, graph: Graph
) -> None:
    keys: dict[str, Any] = {"endpoint_url": aws.url, "aws_access_key_id": ACCOUNT, "aws_secret_access_key": "x"}
    iam, s3 = (boto3.client(name, "us-east-1", **keys) for name in ("iam", "s3"))
    s3.create_bucket(Bucket="logs")
    read = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"{BUCKET}/*", "Condition": MFA}
    own = {"Effect": "Allow", "Action": "s3:*", "Resource": BUCKET}
    document = json.dumps({"Version": "2012-10-17", "Statement": [read]})
    policy = iam.create_policy(PolicyName="read", PolicyDocument=document)["Policy"]["Arn"]
    iam.create_group(GroupName="staff")
    iam.attach_group_policy(GroupName="staff", PolicyArn=policy)
    for name in ("alice", "bob"):
        iam.create_user(UserName=name)
        inline = json.dumps({"Version": "2012-10-17", "Statement": own})
        iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=inline)
    iam.add_user_to_group(UserName="alice", GroupName="staff")

    first = command("sync", "--json")
    assert first.code == 0, first.err
    assert edges(graph) == {("group/staff", "CAN_READ", "logs"), ("user/alice", "CAN_READ", "logs")}
    [conditions] = graph.rows("MATCH (:AWSUser)-[e:CAN_READ]->(:S3Bucket) RETURN e.conditions AS text")
    assert json.loads(conditions["text"]) == {"any_of": [{"identity": [MFA]}]}
    assert verdict(first)["count"] == 2
    assert "Resource policies" in verdict(first)["meaning"]
    assert {"aws.redshift.clusters", "aws.dynamodb.tables"} == set(verdict(first)["never_seen"])

    asks_who_can(command)

    iam.detach_group_policy(GroupName="staff", PolicyArn=policy)
    (command.cwd / "rules.yaml").write_text(
        "- {target_label: S3Bucket, permissions: [s3:ListBucket], relationship_name: CAN_LIST}\n"
        "- {target_label: S3Bucket, permissions: [s3:GetObject], relationship_name: CAN_READ}\n"
    )
    second = command("sync", "--json", "--permission-relationships-file", "rules.yaml")
    assert second.code == 0, second.err
    assert edges(graph) == {("user/alice", "CAN_LIST", "logs"), ("user/bob", "CAN_LIST", "logs")}
    assert verdict(second)["text"] == "2 principals that may use resources"


def asks_who_can(command: Command) -> None:
    """The commands, on the graph of the first run."""
    new = f"{BUCKET}/new"
    explained = command("can", "alice", "s3:GetObject", new, "--explain")
    assert explained.code == 0, explained.err
    assert explained.out.startswith("not judged: ")
    assert f"Allow\t{arn('policy/read')}\t1\tidentity" in explained.out
    assert command("can", "bob", "iam:CreateUser", arn("user/x"), "--json").json["verdict"] == "no"
    unknown = command("can", "alicia", "s3:GetObject", new)
    assert unknown.code == 2
    assert "did you mean alice" in unknown.error
    assert "did you mean" in command("can", "alice", "s3:GetObjekt", new).error
    listed = command("who-can", "s3:GetObject", new, "--json").json
    # The bucket's policy was not read: it may allow bob, too.
    assert {row["principal"] for row in listed["principals"]} == {arn("user/alice"), arn("user/bob")}
    assert {row["verdict"] for row in listed["principals"]} == {"not judged"}
    paths = command("attack-paths", "--json")
    assert paths.code == 0, paths.err
    assert paths.json["paths"] == []


def test_a_bad_file_ends_before_anything_is_touched(command: Command, aws: AwsServer, graph: Graph) -> None:
    (command.cwd / "rules.yaml").write_text("- {target_label: S3Bucket, permissions: s3, relationship_name: CAN_READ}")
    aws.reset()
    for file, message in (("rules.yaml", 'entry 1: permissions is "s3"'), ("none.yaml", "can't be read")):
        ended = command("sync", "--permission-relationships-file", file)
        assert ended.code == 2
        assert ended.error.startswith(f"chartfleet: {command.cwd / file}: {message}")
    assert not aws.calls().count("sts")
    assert graph.rows("MATCH (n) RETURN n") == []


# --- in a graph that holds something already ---


pytestmark = pytest.mark.usefixtures("indexed")


def write(graph: Graph, query: str, **parameters: Any) -> None:
    graph.write(lambda tx: tx.run(query, parameters).consume())


def bucket(graph: Graph, name: str, account: str = ACCOUNT) -> None:
    write(
        graph,
        "MERGE (a:AWSAccount {id: $account}) CREATE (a)-[:RESOURCE {_scope: 's'}]->"
        "(:S3Bucket:AWSS3Bucket {arn: 'arn:aws:s3:::' + $name, id: $name, _scope: 's'})",
        account=account, name=name,
    )  # fmt: skip


def principal(graph: Graph, name: str, action: str | None = None, account: str = ACCOUNT, **properties: Any) -> None:
    """A user, role or group with a policy that allows the action on everything; None: its policy was not read."""
    kind = {"user": "AWSUser", "role": "AWSRole", "group": "AWSGroup"}[name.partition("/")[0]]
    write(
        graph,
        f"CREATE (p:AWSPrincipal:{kind} {{arn: $arn, groupid: 'AGPA', _scope: 's'}}) SET p += $properties"
        " CREATE (p)-[:POLICY {_scope: 's'}]->(policy:AWSPolicy {id: $arn + '/own', type: $type, _scope: 's'})"
        " WITH policy WHERE $action IS NOT NULL CREATE (policy)-[:STATEMENT]->(:AWSPolicyStatement"
        " {effect: 'Allow', action: [$action], resource: ['*']})",
        arn=arn(name, account), action=action, type="inline" if action else None, properties=properties,
    )  # fmt: skip


def draw(graph: Graph, tag: int, *wanted: Rule) -> None:
    permissions.write(graph, wanted or [READ], registry.schema(), tag)


def test_users_roles_and_groups_within_their_account(graph: Graph) -> None:
    bucket(graph, "here")
    bucket(graph, "there", "444455556666")
    for name in ("user/alice", "role/deploy", "group/staff"):
        principal(graph, name, "s3:*")
    principal(graph, "user/mallory", "s3:*", "444455556666")
    draw(graph, 1)
    here = {(name, "CAN_READ", "here") for name in ("user/alice", "role/deploy", "group/staff")}
    assert edges(graph) == here | {("user/mallory", "CAN_READ", "there")}


def test_repeating_it_changes_nothing_and_the_rest_keeps_its_age(graph: Graph) -> None:
    bucket(graph, "logs")
    principal(graph, "user/alice", "s3:GetObject")
    query = "MATCH (:AWSUser)-[e:CAN_READ]->() RETURN properties(e) AS e"
    draw(graph, 1)
    before = graph.rows(query)
    draw(graph, 1)
    assert graph.rows(query) == before
    draw(graph, 2)
    assert graph.rows(query) == [{"e": before[0]["e"] | {"lastupdated": 2}}]


def test_what_rules_that_are_no_more_drew_goes_and_nothing_else(graph: Graph) -> None:
    bucket(graph, "logs")
    principal(graph, "user/alice", "s3:*")
    draw(graph, 1, READ, WRITE)
    write(graph, "MATCH (p:AWSUser), (b:S3Bucket) CREATE (p)-[:CAN_OPEN {lastupdated: 1}]->(b)")
    assert {type_ for _, type_, _ in edges(graph)} == {"CAN_READ", "CAN_WRITE", "CAN_OPEN"}
    draw(graph, 2, WRITE)
    assert {type_ for _, type_, _ in edges(graph)} == {"CAN_WRITE", "CAN_OPEN"}


def test_what_an_earlier_tool_drew_is_put_right_where_both_ends_are_known(graph: Graph) -> None:
    bucket(graph, "logs")
    principal(graph, "user/alice", "ec2:*")
    write(graph, "CREATE (:AWSPrincipal:AWSUser {arn: $arn})", arn=arn("user/theirs", "999999999999"))
    write(graph, "CREATE (:S3Bucket {arn: 'arn:aws:s3:::theirs'})")
    write(graph, "MATCH (p:AWSUser), (b:S3Bucket) CREATE (p)-[:CAN_READ {lastupdated: 1}]->(b)")
    draw(graph, 2)
    assert edges(graph) == {
        ("user/alice", "CAN_READ", "theirs"),
        ("user/theirs", "CAN_READ", "logs"),
        ("user/theirs", "CAN_READ", "theirs"),
    }


def test_of_a_principal_with_a_policy_that_was_not_read_the_earlier_ones_stay(graph: Graph) -> None:
    bucket(graph, "logs")
    principal(graph, "user/unread")
    principal(graph, "role/bounded", "s3:*", permissions_boundary_arn=arn("policy/unread"))
    principal(graph, "group/unread")
    principal(graph, "user/member", "ec2:*")
    principal(graph, "user/known", "ec2:*")
    write(
        graph,
        "MATCH (p:AWSPrincipal {arn: $member}), (g:AWSPrincipal {arn: $group})"
        " CREATE (p)-[:MEMBER_AWS_GROUP {_scope: 's'}]->(g)",
        member=arn("user/member"), group=arn("group/unread"),
    )  # fmt: skip
    write(graph, "MATCH (p:AWSPrincipal), (b:S3Bucket) CREATE (p)-[:CAN_READ {lastupdated: 1, _by_rule: true}]->(b)")
    draw(graph, 2)
    assert {who for who, _, _ in edges(graph)} == {"user/unread", "role/bounded", "group/unread", "user/member"}
    finding = engine.verdict(graph, permissions.JOB, 2)
    assert (finding.count, finding.unknown) == (4, 4)


def test_the_verdict_tells_who_may_use_most(graph: Graph) -> None:
    for name in ("a", "b"):
        bucket(graph, name)
    principal(graph, "user/alice", "s3:GetObject")
    principal(graph, "user/root", "*")
    principal(graph, "user/nobody", "ec2:*")
    permissions.write(graph, rules(None), registry.schema(), 1)
    finding = engine.verdict(graph, permissions.JOB, 1)
    assert (finding.count, finding.unknown) == (2, 0)
    assert finding.examples == [
        {
            "principal": arn("user/root"),
            "may": [{"relationship": of, "resources": 2, "conditional": 0} for of in ("CAN_READ", "CAN_WRITE")],
        },
        {
            "principal": arn("user/alice"),
            "may": [{"relationship": "CAN_READ", "resources": 2, "conditional": 0}],
        },
    ]
