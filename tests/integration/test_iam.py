"""IAM from the simulator's API to the graph: who is in which group, has which policies, and may do what."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
import redis

from analysis import engine
from loaders import indexes
from loaders.graph import Graph
from loaders.scope import Scope
from loaders.writer import Writer
from tasks import registry
from tasks.aws import api as aws_api
from tasks.aws import credentials
from tasks.aws.api import AwsApi
from tasks.failures import CallFailed
from tasks.rate_budget import RateBudget
from tasks.resource import Tenant
from tests.integration.runs import Items, Sync, scope
from tests.servers.aws import AwsServer, Effect, Fault
from workers import embedded

ACCOUNT = "111122223333"
TYPES = ("aws.iam.policies", "aws.iam.users", "aws.iam.groups", "aws.iam.roles", "aws.iam.access_keys")


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsServer]:
    with AwsServer() as server:
        yield server


@pytest.fixture(scope="module", autouse=True)
def indexed(services: embedded.Services) -> None:
    graph = Graph.at(services.graph)
    indexes.ensure(graph, registry.schema())
    graph.close()


@pytest.fixture
def writer(services: embedded.Services, graph: Graph) -> Iterator[Writer]:
    writer = Writer(services.graph.driver(), services.graph.database)
    assert writer.acquire()
    yield writer
    writer.close()


@pytest.fixture
def sync(writer: Writer, broker: redis.Redis) -> Sync:
    return Sync(broker, writer)


class Account:
    """An account of the simulator: its IAM, and what each type reads of it."""

    def __init__(self, id_: str, aws: AwsServer, broker: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> None:
        self.id = id_
        self.iam: Any = boto3.client(
            "iam", "us-east-1", endpoint_url=aws.url, aws_access_key_id=id_, aws_secret_access_key="x"
        )
        self._aws, self._broker, self._monkeypatch = aws, broker, monkeypatch

    def read(self) -> dict[Scope, Items | str]:
        """The items of every type."""
        for name, value in {"ACCESS_KEY_ID": self.id, "SECRET_ACCESS_KEY": "x", "ENDPOINT_URL": self._aws.url}.items():
            self._monkeypatch.setenv(f"AWS_{name}", value)
        credentials.forget({})
        return asyncio.run(self._read())

    async def _read(self) -> dict[Scope, Items | str]:
        found: dict[Scope, Items | str] = {}
        try:
            for type_ in TYPES:
                api = AwsApi(Tenant(provider="aws", id=self.id), "global", RateBudget(self._broker), "aws")
                items = [item async for item in registry.types()[type_].fetch.items(api, "")]
                assert not [item.failure for item in items if item.failure]
                found[scope(type_, self.id)] = [item.value for item in items]
        finally:
            await aws_api.close()
        return found


@pytest.fixture
def account(aws: AwsServer, broker: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> Account:
    aws.reset()
    aws.empty()
    account = Account(ACCOUNT, aws, broker, monkeypatch)
    iam = account.iam
    for name, path, statement in (
        ("logs", "/team/", {"Sid": "Read", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}),
        ("limit", "/", {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}),
    ):
        iam.create_policy(PolicyName=name, Path=path, PolicyDocument=document(statement))
    iam.create_group(GroupName="staff", Path="/people/")
    iam.attach_group_policy(GroupName="staff", PolicyArn=arn("policy/team/logs"))
    iam.create_user(UserName="alice", Path="/people/")
    iam.add_user_to_group(UserName="alice", GroupName="staff")
    iam.put_user_policy(UserName="alice", PolicyName="own", PolicyDocument=document(HOP, HOP))
    iam.create_access_key(UserName="alice")
    iam.create_role(
        RoleName="deploy", AssumeRolePolicyDocument=document(TRUST), PermissionsBoundary=arn("policy/limit")
    )
    return account


def arn(name: str, account: str = ACCOUNT) -> str:
    return f"arn:aws:iam::{account}:{name}"


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


HOP = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": arn("role/deploy")}
TRUST = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": arn("user/people/alice")}}


def copy_group_policies(writer: Writer, tag: int) -> None:
    [job] = [job for job in engine.shipped_jobs() if job.name == "aws_iam_group_policies"]
    engine.run_shipped(writer, job, f"{tag}-test", tag)


def test_what_a_user_has_and_from_where(account: Account, sync: Sync, graph: Graph) -> None:
    run = sync.run(account.read())
    copy_group_policies(sync.writer, run.tag)
    alice = arn("user/people/alice")
    assert graph.rows(
        "MATCH (:AWSUser {arn: $alice})-[:POLICY]->(p:AWSPolicy)-[:STATEMENT]->(s:AWSPolicyStatement)"
        " RETURN p.type AS type, p.name AS policy, s.id AS statement, s.action AS action ORDER BY statement",
        {"alice": alice},
    ) == [
        {
            "type": "managed",
            "policy": "logs",
            "statement": f"{arn('policy/team/logs')}/statement/Read",
            "action": ["s3:GetObject"],
        },
        *(
            {
                "type": "inline",
                "policy": "own",
                "statement": f"{alice}/inline_policy/own/statement/{number}",
                "action": ["sts:AssumeRole"],
            }
            for number in (1, 2)
        ),
    ]
    assert graph.rows(
        "MATCH (:AWSAccount {id: $account})-[:RESOURCE]->(u:AWSUser)-[:MEMBER_AWS_GROUP]->(g:AWSGroup)"
        " MATCH (u)-[:AWS_ACCESS_KEY]->(k:AccountAccessKey) RETURN g.arn AS group, k.status AS status",
        {"account": ACCOUNT},
    ) == [{"group": arn("group/people/staff"), "status": "Active"}]
    assert graph.rows("MATCH (r:AWSRole)-[:TRUSTS_AWS_PRINCIPAL]->(u:AWSUser) RETURN properties(r) AS r, u.arn AS u")[
        0
    ]["r"]["permissions_boundary_arn"] == arn("policy/limit")


def test_who_leaves_a_group_loses_what_it_gave(account: Account, sync: Sync, graph: Graph) -> None:
    copy_group_policies(sync.writer, sync.run(account.read()).tag)
    account.iam.remove_user_from_group(GroupName="staff", UserName="alice")
    copy_group_policies(sync.writer, sync.run(account.read()).tag)
    policies = "MATCH (:AWSUser)-[:POLICY]->(p) RETURN p.name AS name"
    assert graph.rows(policies) == [{"name": "own"}]
    assert graph.rows("MATCH (:AWSGroup)-[:POLICY]->(p) RETURN p.name AS name") == [{"name": "logs"}]


def test_what_is_deleted_leaves_nothing_behind(account: Account, sync: Sync, graph: Graph) -> None:
    sync.run(account.read())
    iam = account.iam
    iam.delete_user_policy(UserName="alice", PolicyName="own")
    iam.detach_group_policy(GroupName="staff", PolicyArn=arn("policy/team/logs"))
    iam.delete_policy(PolicyArn=arn("policy/team/logs"))
    sync.run(account.read())
    assert graph.rows("MATCH (p:AWSPolicy) RETURN p.name AS name") == [{"name": "limit"}]
    assert graph.rows("MATCH (s:AWSPolicyStatement) RETURN s.action AS action") == [{"action": ["s3:*"]}]


def test_no_call_is_made_per_user_group_role_or_policy(account: Account, aws: AwsServer) -> None:
    """Except for access keys, which AWS lists per user only."""
    for number in range(5):
        account.iam.create_user(UserName=f"user-{number}")
        account.iam.create_role(RoleName=f"role-{number}", AssumeRolePolicyDocument=document(TRUST))
    aws.reset()
    account.read()
    calls = aws.calls()
    assert calls.count("iam", "GetAccountAuthorizationDetails") == 4
    assert (calls.count("iam", "ListUsers"), calls.count("iam", "ListGroups")) == (2, 1)
    assert calls.count("iam", "ListAccessKeys") == 6
    assert calls.count("iam") == 13


def test_where_one_of_the_calls_is_denied_nothing_is_read(
    account: Account, aws: AwsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.add(Fault(Effect.DENY, service="iam", action="ListGroups"))
    with pytest.raises(CallFailed, match="iam:ListGroups"):
        account.read()
