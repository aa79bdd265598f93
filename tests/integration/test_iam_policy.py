"""The template of a spoke's role, put up in a simulated account: it trusts the hub, and holds the policy."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.fleet.command import Command
from tests.servers.aws import AwsServer

HUB, SPOKE = "111122223333", "444455556666"
EXTERNAL_ID = "choose-one"


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsServer]:
    with AwsServer() as server:
        yield server


def client(aws: AwsServer, service: str, account: str) -> Any:
    keys = {"aws_access_key_id": account, "aws_secret_access_key": "x"}
    return boto3.client(service, region_name="eu-west-1", endpoint_url=aws.url, **keys)  # type: ignore[call-overload]


def stack(aws: AwsServer, account: str, template: str, **parameters: str) -> Any:
    formation = client(aws, "cloudformation", account)
    formation.create_stack(
        StackName="chartfleet",
        TemplateBody=template,
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    [found] = formation.describe_stacks(StackName="chartfleet")["Stacks"]
    return found


def test_the_role_of_a_spoke_trusts_the_hub_and_may_read_what_was_selected(aws: AwsServer, tmp_path: Path) -> None:
    chartfleet = Command(tmp_path, {})
    selected = ("--aws-requested-syncs", "kms", "--aws-assume-role", "audit/Reader")
    ended = chartfleet("iam-policy", "--format", "cloudformation", *selected)
    assert (ended.code, ended.err) == (0, "")
    hub = f"arn:aws:iam::{HUB}:role/Workers"
    put_up = stack(aws, SPOKE, ended.out, HubPrincipal=hub, ExternalId=EXTERNAL_ID)
    assert put_up["StackStatus"] == "CREATE_COMPLETE"

    iam = client(aws, "iam", SPOKE)
    role = iam.get_role(RoleName="Reader")["Role"]
    assert role["Arn"] == f"arn:aws:iam::{SPOKE}:role/audit/Reader"
    [trust] = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"AWS": hub}
    assert trust["Condition"] == {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}}
    held = iam.get_role_policy(RoleName="Reader", PolicyName="read")["PolicyDocument"]  # moto keeps Python's text of it
    assert ast.literal_eval(held) == json.loads(chartfleet("iam-policy", *selected).out)


def test_the_policy_of_the_hub_names_the_role_in_every_account(aws: AwsServer, tmp_path: Path) -> None:
    chartfleet = Command(tmp_path, {})
    template = chartfleet("iam-policy", "--account", "hub", "--format", "cloudformation").out
    [output] = stack(aws, HUB, template)["Outputs"]
    iam = client(aws, "iam", HUB)
    version = iam.get_policy(PolicyArn=output["OutputValue"])["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=output["OutputValue"], VersionId=version)["PolicyVersion"]["Document"]
    assert document["Statement"][1]["Resource"] == "arn:aws:iam::*:role/Chartfleet"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--format", "yaml"), 'argument --format: "yaml" is not one of json, cloudformation, terraform'),
        (("--aws-requested-syncs", "s4"), "--aws-requested-syncs: 's4'"),
        (("--aws-assume-role", "arn:aws:iam::111122223333:role/x"), "--aws-assume-role"),
    ],
)
def test_what_it_cannot_do_is_said(tmp_path: Path, arguments: tuple[str, ...], told: str) -> None:
    ended = Command(tmp_path, {})("iam-policy", *arguments)
    assert ended.code == 2
    assert told in ended.err
