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
from analysis.iam import assume_role
from loaders.graph import Graph
from loaders.scope import Scope
from loaders.writer import Writer
from tasks.aws.client import client as aws_api
from tasks.aws.client import credentials
from tasks.aws.client.client import AwsApi
from tasks.clients.rate_limiter import RedisRateLimiter
from tasks.engine import registry
from tasks.resource import NOT_SEEN, Tenant
from tests.integration.runs import Items, Sync, scope
from tests.servers.aws import AwsServer, Effect, Fault

ACCOUNT = "111122223333"
OTHER = "444455556666"
TYPES = ("aws.iam.policies", "aws.iam.users", "aws.iam.groups", "aws.iam.roles", "aws.iam.access_keys")


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsServer]:
    with AwsServer() as server:
        yield server


pytestmark = pytest.mark.usefixtures("indexed")


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
                api = AwsApi(Tenant(provider="aws", id=self.id), "global", RedisRateLimiter(self._broker), "aws")
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
    """Except for passwords and access keys, which AWS lists per user only; each key is asked when it was last used."""
    for number in range(5):
        account.iam.create_user(UserName=f"user-{number}")
        account.iam.create_role(RoleName=f"role-{number}", AssumeRolePolicyDocument=document(TRUST))
    aws.reset()
    account.read()
    calls = aws.calls()
    assert calls.count("iam", "GetAccountAuthorizationDetails") == 4
    assert (calls.count("iam", "ListUsers"), calls.count("iam", "ListGroups")) == (2, 1)
    assert (calls.count("iam", "ListAccessKeys"), calls.count("iam", "GetAccessKeyLastUsed")) == (6, 1)
    assert calls.count("iam", "GetLoginProfile") == 6
    assert calls.count("iam") == 20


def test_where_a_list_beside_is_denied_users_are_there_and_their_groups_are_not_seen(
    account: Account, aws: AwsServer
) -> None:
    aws.add(Fault(Effect.DENY, service="iam", action="ListGroups"))
    users = account.read()[scope("aws.iam.users", ACCOUNT)]
    assert not isinstance(users, str)
    [alice] = users
    assert isinstance(alice, dict)
    assert alice["UserName"] == "alice"
    assert alice["ListGroups"] is NOT_SEEN


# --- who may assume which role ---


@pytest.fixture
def other(aws: AwsServer, account: Account, broker: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> Account:
    """Another account, with nothing in it yet."""
    return Account(OTHER, aws, broker, monkeypatch)


def user(of: Account, name: str, *statements: dict[str, Any]) -> str:
    of.iam.create_user(UserName=name)
    if statements:
        of.iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document(*statements))
    return arn(f"user/{name}", of.id)


def role(of: Account, name: str, *trust: dict[str, Any], boundary: str | None = None) -> str:
    bounded = {"PermissionsBoundary": boundary} if boundary else {}
    of.iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(*trust), **bounded)
    return arn(f"role/{name}", of.id)


def trust(*names: str, **elements: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": {"AWS": list(names)}, "Action": "sts:AssumeRole", **elements}


def hop(resource: str = "*", effect: str = "Allow", **elements: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": "sts:AssumeRole", "Resource": resource, **elements}


def assumable(graph: Graph) -> set[tuple[str, str, str | None]]:
    """(who, which role, under which conditions), by their names."""
    rows = graph.rows(
        "MATCH (p:AWSPrincipal)-[e:STS_ASSUMEROLE_ALLOW]->(r:AWSRole)"
        " RETURN p.name AS who, r.name AS role, e.conditions AS conditions, e._scope AS scope"
    )
    assert not any(row["scope"] for row in rows)
    return {(row["who"], row["role"], row["conditions"]) for row in rows}


def test_who_may_assume_which_role(account: Account, other: Account, sync: Sync, graph: Graph) -> None:
    iam = account.iam
    iam.attach_user_policy(UserName="alice", PolicyArn=arn("policy/team/logs"))
    user(account, "bob", hop())
    user(account, "carol", hop(), hop(arn("role/by-root"), "Deny"))
    member = user(account, "dave")
    iam.create_group(GroupName="hoppers")
    iam.put_group_policy(GroupName="hoppers", PolicyName="hop", PolicyDocument=document(hop(arn("role/by-*"))))
    iam.add_user_to_group(UserName="dave", GroupName="hoppers")
    bounded = role(account, "bounded", trust(member), boundary=arn("policy/limit"))
    iam.put_role_policy(RoleName="bounded", PolicyName="hop", PolicyDocument=document(hop()))
    mfa = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    role(account, "by-root", trust(arn("root")))
    role(account, "by-name", trust(bounded), trust(member, Condition=mfa), trust(OTHER))
    role(account, "denied", trust(arn("root")), trust("*") | {"Effect": "Deny"})
    user(other, "mallory", hop(arn("role/by-name")))
    user(other, "oscar")
    role(other, "away", trust(arn("root", OTHER), arn("root")))

    run = sync.run(account.read() | other.read())
    assume_role.write(sync.writer, run.tag)
    conditional = json.dumps({"any_of": [{"trust": [mfa]}]})
    assert assumable(graph) == {
        ("alice", "deploy", None),  # the fixture: her policy names it, and it names her
        ("bob", "by-root", None),
        ("bob", "away", None),
        ("carol", "away", None),
        ("dave", "bounded", None),
        ("dave", "by-root", None),
        ("dave", "by-name", conditional),
        ("mallory", "by-name", None),
    }


def test_what_is_no_longer_allowed_goes_and_the_rest_keeps_its_age(account: Account, sync: Sync, graph: Graph) -> None:
    user(account, "bob", hop())
    role(account, "by-root", trust(arn("root")))
    ages = "MATCH (p)-[e:STS_ASSUMEROLE_ALLOW]->() RETURN p.name AS who, e.firstseen AS first, e.lastupdated AS last"
    run = sync.run(account.read())
    assume_role.write(sync.writer, run.tag)
    before = {row["who"]: row["first"] for row in graph.rows(ages)}
    assert set(before) == {"alice", "bob"}
    account.iam.delete_user_policy(UserName="bob", PolicyName="own")
    run = sync.run(account.read())
    for _ in ("once", "again, as after a takeover of a crashed worker's barrier"):
        assume_role.write(sync.writer, run.tag)
        assert graph.rows(ages) == [{"who": "alice", "first": before["alice"], "last": run.tag}]


@pytest.mark.parametrize("owner", [None, "aws.iam.roles/999999999999/global"], ids=["as they were", "taken over"])
def test_relationships_of_accounts_that_were_never_read_stay(
    account: Account, sync: Sync, graph: Graph, owner: str | None
) -> None:
    """An earlier tool drew them, and nothing here says that they are wrong."""
    graph.write(
        lambda tx: tx.run(
            "UNWIND ['a', 'b'] AS name"
            " CREATE (r:AWSPrincipal:AWSRole {arn: 'arn:aws:iam::999999999999:role/' + name, _scope: $owner})"
            " WITH collect(r) AS both UNWIND both[..1] AS a WITH a, both[1] AS b"
            " CREATE (a)-[:STS_ASSUMEROLE_ALLOW {lastupdated: 1}]->(b)",
            owner=owner,
        ).consume()
    )
    assume_role.write(sync.writer, sync.run(account.read()).tag)
    assert len(graph.rows("MATCH (p)-[:STS_ASSUMEROLE_ALLOW]->() RETURN p.arn")) == 2


def test_the_verdict_counts_roles_that_another_account_may_assume(
    account: Account, other: Account, sync: Sync, graph: Graph
) -> None:
    user(other, "mallory", hop())
    role(account, "by-other", trust(OTHER))
    role(account, "by-vendor", trust("arn:aws:iam::999999999999:root"))
    role(account, "by-anybody", trust("*", Condition={"StringEquals": {"sts:ExternalId": "4711"}}))
    role(account, "by-service", {**trust(), "Principal": {"Service": "ec2.amazonaws.com"}})
    role(account, "by-deleted", trust("AROAEXAMPLEROLEID0001"))
    run = sync.run(account.read() | other.read())
    assume_role.write(sync.writer, run.tag)
    finding = engine.verdict(sync.writer, assume_role.JOB, run.tag)
    assert (finding.count, finding.unknown) == (2, 1)
    assert finding.examples == [
        {"role": arn(f"role/{name}"), "account": ACCOUNT, "by": [arn("user/mallory", OTHER)]}
        for name in ("by-anybody", "by-other")
    ]


def test_first_come_the_roles_that_anybody_may_assume(account: Account, sync: Sync, graph: Graph) -> None:
    """Whether another account was read or not. Who isn't known is counted apart, and named with the reason."""
    github = "token.actions.githubusercontent.com"
    mfa = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    web = {"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity"}
    provider = {"Federated": arn(f"oidc-provider/{github}")}
    audience = {"StringEquals": {f"{github}:aud": "sts.amazonaws.com"}}
    role(account, "z-anybody", trust("*"))
    role(account, "a-anybody-with-a-device", trust("*", Condition=mfa))
    role(account, "of-github", {**web, "Principal": provider, "Condition": audience})
    role(account, "of-ours", {**web, "Principal": provider, "Condition": {"StringLike": {f"{github}:sub": "repo:a/*"}}})
    role(account, "of-org", trust("*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-mine"}}))
    role(account, "of-itself", trust("*", Condition={"StringEquals": {"aws:PrincipalAccount": ACCOUNT}}))
    role(account, "of-vendor", trust("arn:aws:iam::999999999999:root"))
    role(account, "of-who-knows", trust("*", Condition={"StringEquals": {"sts:ExternalId": "4711"}}))
    run = sync.run(account.read())
    assume_role.write(sync.writer, run.tag)
    [found] = graph.rows(assume_role.JOB.findings.query if assume_role.JOB.findings else "")
    assert [(one["role"].rpartition("/")[2], one["by"], one["conditions"]) for one in found["examples"]] == [
        ("z-anybody", ["*"], None),
        ("a-anybody-with-a-device", ["*"], [json.dumps([mfa])]),
        ("of-github", [github], [json.dumps([audience])]),
    ]
    assert (found["count"], found["unknown"]) == (3, 3)
    assert {one["role"].rpartition("/")[2]: one["why"] for one in found["unknown_examples"]} == {
        "of-org": "trusts organization o-mine, which is not synced",
        "of-vendor": "trusts account 999999999999, which is not synced",
        "of-who-knows": "trusts anybody who knows sts:ExternalId",
    }


def test_what_the_graph_knows_of_who_asks_decides_conditions(
    account: Account, other: Account, sync: Sync, graph: Graph
) -> None:
    """Terraform's usual trust names the account, and in a condition who of it is meant."""
    admin = role(account, "admin", trust("arn:aws:iam::999999999999:root"))
    for who in ("admin", "reader"):
        if who != "admin":
            role(account, who, trust("arn:aws:iam::999999999999:root"))
        account.iam.put_role_policy(RoleName=who, PolicyName="hop", PolicyDocument=document(hop()))
    account.iam.create_user(UserName="tagged", Tags=[{"Key": "Team", "Value": "red"}])
    account.iam.put_user_policy(UserName="tagged", PolicyName="hop", PolicyDocument=document(hop()))
    role(account, "by-arn", trust(arn("root"), Condition={"ArnLike": {"AWS:PrincipalArn": [admin]}}))
    role(account, "by-tag", trust(arn("root"), Condition={"StringEquals": {"aws:PrincipalTag/team": "red"}}))
    user(other, "mallory", hop(Condition={"StringEquals": {"aws:ResourceAccount": OTHER}}))
    role(account, "by-mallory", trust(OTHER))
    role(other, "away", trust(OTHER))
    run = sync.run(account.read() | other.read())
    assume_role.write(sync.writer, run.tag)
    assert {(who, what) for who, what, conditions in assumable(graph) if conditions is None} - {
        ("alice", "deploy")
    } == {
        ("admin", "by-arn"),
        ("tagged", "by-tag"),
        ("mallory", "away"),
    }
    assert {(who, what) for who, what, conditions in assumable(graph) if conditions} == set()


def test_before_2012_a_variable_is_a_text(account: Account, sync: Sync, graph: Graph) -> None:
    for name in ("ada", "bea"):
        user(account, name, hop(arn("role/${aws:username}")))
        role(account, name, trust(arn("root")))
    found = account.read()
    policies = found[scope("aws.iam.policies", ACCOUNT)]
    assert not isinstance(policies, str)
    [own] = [item for item in policies if item.get("UserName") == "ada"]
    del own["UserPolicyList"][0]["PolicyDocument"]["Version"]
    run = sync.run(found)
    assume_role.write(sync.writer, run.tag)
    assert assumable(graph) == {("alice", "deploy", None), ("bea", "bea", None)}
