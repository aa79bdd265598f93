"""Twelve small estates, each with a path to an administrator and with a near miss that is none."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from analysis.iam import access_requests, who_can
from analysis.iam.attack_account import TYPES
from analysis.iam.attack_paths import Accounts, find
from analysis.iam.decision import Decision, Verdict, decide
from loaders import coverage
from loaders.graph import Graph
from tests.integration.estates.conftest import ACCOUNT, REGION, Client, Fetch
from tests.integration.runs import Sync, scope

EC2 = {"Service": "ec2.amazonaws.com"}
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}

Statement = dict[str, Any]
Paths = Callable[..., dict[str, tuple[str, list[str]]]]


def arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:{name}"


def allow(*actions: str, on: str = "*", when: Statement | None = None) -> Statement:
    statement: Statement = {"Effect": "Allow", "Action": list(actions), "Resource": on}
    return statement | ({"Condition": when} if when else {})


def deny(*actions: str, on: str = "*", when: Statement | None = None) -> Statement:
    return {**allow(*actions, on=on, when=when), "Effect": "Deny"}


def document(*statements: Statement) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


class Estate:
    """An account in the simulator."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.iam = client("iam")

    def user(self, name: str, *statements: Statement) -> str:
        self.iam.create_user(UserName=name)
        if statements:
            self.iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document(*statements))
        return arn(f"user/{name}")

    def role(self, name: str, principal: dict[str, str], *statements: Statement, **options: Any) -> str:
        trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust), **options)
        if statements:
            self.iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document(*statements))
        return arn(f"role/{name}")

    def policy(self, name: str, *statements: Statement) -> str:
        created = self.iam.create_policy(PolicyName=name, PolicyDocument=document(*statements))
        return str(created["Policy"]["Arn"])


@pytest.fixture
def estate(client: Client) -> Estate:
    return Estate(client)


@pytest.fixture
def read(fetch: Fetch, sync: Sync, graph: Graph) -> Callable[..., None]:
    def of_estate(*types: str) -> None:
        """A run over these types, with its coverage."""
        run = sync.run({scope(type_, ACCOUNT, REGION): [item.value for item in fetch(type_)] for type_ in types})
        info = run.ledger.info()
        assert info is not None
        coverage.write(graph, info, run.ledger.units(), now_ms=run.ledger.now_ms())

    return of_estate


@pytest.fixture
def paths(read: Callable[..., None], graph: Graph) -> Paths:
    def of_estate(*types: str) -> dict[str, tuple[str, list[str]]]:
        """By the name of the principal: the verdict, and the ways of the steps."""
        read(*(types or TYPES))
        found = find(Accounts.of_graph(graph))
        return {
            path.source.rpartition("/")[2]: (path.certainty.text, [one.step.way.id for one in path.steps])
            for path in found.paths
        }

    return of_estate


def test_1_a_new_version_of_a_policy_that_it_has(estate: Estate, paths: Paths) -> None:
    for name in ("open", "denied"):
        policy = estate.policy(name, allow("iam:CreatePolicyVersion"))
        estate.user(name)
        estate.iam.attach_user_policy(UserName=name, PolicyArn=policy)
    barred = deny("iam:CreatePolicyVersion")
    estate.iam.put_user_policy(UserName="denied", PolicyName="no", PolicyDocument=document(barred))
    assert paths() == {"open": ("proven", ["iam-001"])}


def test_2_a_policy_attached_to_itself_but_only_a_harmless_one(estate: Estate, paths: Paths) -> None:
    harmless = {"ArnEquals": {"iam:PolicyARN": "arn:aws:iam::aws:policy/ReadOnlyAccess"}}
    estate.user("open", allow("iam:AttachUserPolicy", on=arn("user/open")))
    estate.user("conditional", allow("iam:AttachUserPolicy", on=arn("user/conditional"), when=harmless))
    assert paths() == {"open": ("proven", ["iam-008"])}


def test_3_an_inline_policy_of_itself_but_within_a_boundary(estate: Estate, paths: Paths) -> None:
    boundary = estate.policy("boundary", allow("s3:*", "iam:PutRolePolicy"))
    estate.user("user", allow("iam:PutUserPolicy", on=arn("user/user")))
    for name, limit in (("open", {}), ("bounded", {"PermissionsBoundary": boundary})):
        estate.role(name, EC2, allow("iam:PutRolePolicy", on=arn(f"role/{name}")), **limit)
    assert paths() == {"open": ("proven", ["iam-005"]), "user": ("proven", ["iam-007"])}


def test_4_a_role_passed_to_a_function_but_to_that_service_only(estate: Estate, paths: Paths) -> None:
    admin = estate.role("admin", {"Service": "lambda.amazonaws.com"}, EVERYTHING)
    create = allow("lambda:CreateFunction", "lambda:InvokeFunction")
    passed = {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}
    estate.user("open", create, allow("iam:PassRole", on=admin))
    estate.user("elsewhere", create, allow("iam:PassRole", on=admin, when=passed))
    estate.user("apart", allow("iam:PassRole"), allow("lambda:CreateFunction", on="arn:aws:lambda:*:*:function:dev-*"),
                allow("lambda:InvokeFunction", on="arn:aws:lambda:*:*:function:prod-*"))  # fmt: skip
    assert paths() == {"open": ("proven", ["lambda-001"])}


def test_5_a_role_that_the_service_may_not_assume_is_of_no_use(estate: Estate, paths: Paths) -> None:
    estate.role("admin", EC2, EVERYTHING)
    estate.iam.create_instance_profile(InstanceProfileName="admin")
    estate.iam.add_role_to_instance_profile(InstanceProfileName="admin", RoleName="admin")
    estate.user("launches", allow("iam:PassRole", "ec2:RunInstances"))
    estate.user("invokes", allow("iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction"))
    estate.user("region", allow("iam:PassRole", "ec2:RunInstances"),
                deny("ec2:RunInstances", when={"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}))  # fmt: skip
    assert paths() == {"launches": ("proven", ["ec2-001"]), "region": ("possible", ["ec2-001"])}


def test_6_a_role_that_it_may_assume_but_a_boundary_forbids_it(estate: Estate, paths: Paths) -> None:
    boundary = estate.policy("boundary", allow("s3:*"))
    admin = estate.role("admin", {"AWS": arn("root")}, EVERYTHING)
    estate.user("open", allow("sts:AssumeRole", on=admin))
    estate.role("bounded", EC2, allow("sts:AssumeRole", on=admin), PermissionsBoundary=boundary)
    estate.user("mfa", allow("sts:AssumeRole", on=admin, when=MFA))
    assert paths() == {"open": ("proven", ["sts-001"]), "mfa": ("possible", ["sts-001"])}


def test_7_a_trust_policy_rewritten_but_assuming_is_denied(estate: Estate, paths: Paths) -> None:
    estate.role("admin", EC2, EVERYTHING)
    estate.user("open", allow("iam:UpdateAssumeRolePolicy"))
    estate.user("denied", allow("iam:UpdateAssumeRolePolicy"), deny("sts:*"))
    assert paths() == {"open": ("proven", ["iam-012"])}


def test_8_an_access_key_of_an_administrator_but_that_has_two(estate: Estate, paths: Paths) -> None:
    estate.user("admin", EVERYTHING)
    estate.user("full", EVERYTHING)
    for _ in range(2):
        estate.iam.create_access_key(UserName="full")
    estate.user("open", allow("iam:CreateAccessKey", on=arn("user/admin")))
    estate.user("late", allow("iam:CreateAccessKey", on=arn("user/full")))
    estate.user("resets", allow("iam:UpdateLoginProfile", on=arn("user/full")))
    assert paths() == {"open": ("proven", ["iam-002"]), "resets": ("possible", ["iam-006"])}


def test_9_the_group_of_administrators_but_not_that_group(estate: Estate, paths: Paths) -> None:
    for group in ("admins", "readers"):
        estate.iam.create_group(GroupName=group)
    estate.iam.put_group_policy(GroupName="admins", PolicyName="all", PolicyDocument=document(EVERYTHING))
    estate.user("open", allow("iam:AddUserToGroup"))
    estate.user("denied", allow("iam:AddUserToGroup"), deny("iam:AddUserToGroup", on=arn("group/admins")))
    assert paths() == {"open": ("proven", ["iam-013"])}


def test_10_the_code_of_a_function_with_a_role_but_it_cannot_be_invoked(estate: Estate, paths: Paths) -> None:
    admin = estate.role("admin", {"Service": "lambda.amazonaws.com"}, EVERYTHING)
    estate.client("lambda").create_function(
        FunctionName="job", Role=admin, Runtime="python3.12", Handler="x.y", Code={"ZipFile": b"x"}
    )
    function = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:job"
    estate.user("open", allow("lambda:UpdateFunctionCode", "lambda:InvokeFunction", on=function))
    estate.user("waits", allow("lambda:UpdateFunctionCode", on=function))
    estate.user("other", allow("lambda:UpdateFunctionCode", "lambda:InvokeFunction", on=f"{function}-2"))
    assert paths() == {"open": ("proven", ["lambda-004"]), "waits": ("possible", ["lambda-003"])}


def test_11_an_instance_with_a_role_but_not_that_instance(estate: Estate, paths: Paths) -> None:
    estate.role("admin", EC2, EVERYTHING)
    estate.iam.create_instance_profile(InstanceProfileName="admin")
    estate.iam.add_role_to_instance_profile(InstanceProfileName="admin", RoleName="admin")
    ec2 = estate.client("ec2")
    profile = {"IamInstanceProfile": {"Name": "admin"}}
    ids = [
        ec2.run_instances(ImageId="ami-1", MinCount=1, MaxCount=1, **options)["Instances"][0]["InstanceId"]
        for options in (profile, {})
    ]
    for name, id_ in zip(("open", "other"), ids, strict=True):
        estate.user(name, allow("ssm:StartSession", on=f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/{id_}"))
    assert paths() == {"open": ("possible", ["ssm-001"])}


def test_12_two_steps_but_the_second_is_closed(estate: Estate, paths: Paths) -> None:
    estate.user("open")
    estate.user("closed")
    estate.role("middle", {"AWS": arn("user/open")}, allow("iam:PutRolePolicy", on=arn("role/middle")))
    estate.role("safe", {"AWS": arn("user/closed")}, allow("iam:PutRolePolicy"), deny("iam:PutRolePolicy"))
    assert paths() == {"middle": ("proven", ["iam-005"]), "open": ("proven", ["sts-001", "iam-005"])}


def test_a_policy_that_was_not_read_leaves_it_open(estate: Estate, paths: Paths) -> None:
    estate.user("unread", allow("iam:PutUserPolicy"))
    found = paths("aws.iam.users", "aws.iam.groups", "aws.iam.roles")
    assert found == {}


# --- can ---


def decision(graph: Graph, principal: str, action: str, resource: str) -> Decision:
    return decide(who_can.find(graph, principal), access_requests.asked(graph, action, resource))


def test_can_says_which_statements_decide(estate: Estate, read: Callable[..., None], graph: Graph) -> None:
    boundary = estate.policy("boundary", allow("s3:GetObject"))
    statements = allow("s3:*"), deny("s3:GetObject", on="arn:aws:s3:::logs/secret/*")
    estate.role("alice", EC2, *statements, PermissionsBoundary=boundary)
    s3 = estate.client("s3", "us-east-1")
    s3.create_bucket(Bucket="logs")
    of_bucket = {**deny("s3:GetObject", on="arn:aws:s3:::logs/old/*"), "Principal": "*", "Sid": "old"}
    s3.put_bucket_policy(Bucket="logs", Policy=document(of_bucket))
    read("aws.iam.roles", "aws.iam.policies", "aws.s3.buckets", "aws.s3.policy_statements")

    yes = decision(graph, "alice", "s3:GetObject", "arn:aws:s3:::logs/new")
    assert yes.verdict is Verdict.YES
    assert {(one.kind, one.policy) for one in yes.statements} == {
        ("identity", arn("role/alice/inline_policy/own")), ("boundary", boundary)
    }  # fmt: skip
    assert decision(graph, "alice", "s3:GetObject", "arn:aws:s3:::logs/secret/1").verdict is Verdict.NO
    by_bucket = decision(graph, "alice", "s3:GetObject", "arn:aws:s3:::logs/old/1")
    assert by_bucket.verdict is Verdict.NO
    assert ("bucket policy", "Deny", "old") in {(one.kind, one.effect, one.statement) for one in by_bucket.statements}
    assert decision(graph, "alice", "s3:PutObject", "arn:aws:s3:::logs/new").reason == (
        "the permissions boundary doesn't allow it"
    )
    assert decision(graph, "alice", "s3:GetObject", "arn:aws:s3:::other/1").verdict is Verdict.NOT_JUDGED
