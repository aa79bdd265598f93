"""ARNs built from names, and taken apart."""

from __future__ import annotations

from typing import Any

import pytest

from analysis.iam.arn import account_of, partition_of
from loaders.model import Source, Value, constant, parent
from loaders.scope import GLOBAL, Scope
from tasks.aws.vocabulary.arn import arn_at, kind_of, resource_of

ACCOUNT = "111122223333"


def arn(prefix: str, name: Value, item: dict[str, Any], *, region: str = "cn-north-1", **more: Value) -> str | None:
    scope = Scope(type="aws.rds.instances", tenant=ACCOUNT, region=region)
    return arn_at(prefix, name, **more)(Source(item, scope, ({"Name": "logs"},), "aws-cn"))


@pytest.mark.parametrize(
    ("prefix", "built"),
    [
        ("rds:cluster", f"arn:aws-cn:rds:cn-north-1:{ACCOUNT}:cluster:orders"),
        ("ec2:instance/", f"arn:aws-cn:ec2:cn-north-1:{ACCOUNT}:instance/orders"),
        ("s3", "arn:aws-cn:s3:cn-north-1::orders"),
    ],
)
def test_a_name_is_in_the_partition_region_and_account_of_the_scope(prefix: str, built: str) -> None:
    assert arn(prefix, "Cluster.Name", {"Cluster": {"Name": "orders"}}) == built


def test_a_global_resource_has_no_region_and_a_bucket_no_account() -> None:
    assert arn("iam", constant("root"), {}, region=GLOBAL) == f"arn:aws-cn:iam::{ACCOUNT}:root"
    assert arn("s3", parent("Name"), {}, region=GLOBAL) == "arn:aws-cn:s3:::logs"


def test_an_arn_in_place_of_a_name_is_kept() -> None:
    elsewhere = "arn:aws-cn:rds:cn-northwest-1:111122223333:db:first"
    assert arn("rds:db", "Source", {"Source": elsewhere}) == elsewhere


def test_without_a_name_or_its_account_there_is_no_arn() -> None:
    assert arn("rds:db", "Source", {}) is arn("rds:db", "Source", {"Source": ""}) is None
    assert arn("ec2:transit-gateway/", "Id", {"Id": "tgw-1"}, account="Owner") is None
    gateway = {"Id": "tgw-1", "Owner": "444455556666"}
    built = arn("ec2:transit-gateway/", "Id", gateway, account="Owner")
    assert built == "arn:aws-cn:ec2:cn-north-1:444455556666:transit-gateway/tgw-1"


@pytest.mark.parametrize(
    ("whole", "account", "resource", "kind"),
    [
        ("arn:aws:rds:eu-west-1:111122223333:db:main", ACCOUNT, "db:main", "rds:db"),
        ("arn:aws:ec2:eu-west-1:111122223333:instance/i-1", ACCOUNT, "instance/i-1", "ec2:instance"),
        ("arn:aws:route53:::hostedzone/Z1", "", "hostedzone/Z1", "route53:hostedzone"),
        ("arn:aws:s3:::logs", "", "logs", "s3"),
    ],
)
def test_an_arn_has_a_partition_an_account_a_resource_and_its_kind(
    whole: str, account: str, resource: str, kind: str
) -> None:
    assert (partition_of(whole), account_of(whole), resource_of(whole)) == ("aws", account, resource)
    assert kind_of(whole) == kind
    assert kind_of("not an ARN") is None
