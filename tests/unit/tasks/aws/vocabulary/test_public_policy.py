"""What a bucket's policy lets anybody do: whom a condition keeps out, and whom it only seems to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tasks.aws.vocabulary.public_policy import anonymous_actions, anonymous_actions_of

READ = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}


def actions(*statements: dict[str, Any]) -> list[str]:
    return anonymous_actions(json.dumps({"Version": "2012-10-17", "Statement": list(statements)}), "s3")


def test_without_a_condition_everybody_is_let_in() -> None:
    assert actions(READ) == actions(READ | {"Principal": {"AWS": ["*"]}}) == ["s3:GetObject"]
    assert anonymous_actions(json.dumps({"Statement": READ}), "s3") == ["s3:GetObject"], "a statement that stands alone"
    assert actions(READ | {"Effect": "Deny"}) == actions() == []


def test_all_but_some_actions_is_nearly_all() -> None:
    assert actions({"Effect": "Allow", "Principal": "*", "NotAction": "s3:DeleteBucket"}) == ["s3:*"]


def test_all_but_some_principals_is_nearly_everybody() -> None:
    everybody_else = {"Effect": "Allow", "NotPrincipal": {"AWS": "arn:aws:iam::111122223333:root"}}
    assert actions(everybody_else | {"Action": "s3:GetObject"}) == ["s3:GetObject"]


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"aws:PrincipalOrgID": "o-exampleorgid"}},
        {"IpAddress": {"aws:SourceIp": ["198.51.100.0/24"]}},
        {"StringEquals": {"aws:SourceAccount": 111122223333}},
        {"StringEquals": {"aws:SourceVpce": "vpce-0abc"}},
        {"StringEqualsIfExists": {"aws:SourceVpce": "vpce-0abc"}, "IpAddress": {"aws:SourceIp": "198.51.100.7"}},
    ],
)
def test_a_condition_that_anybody_fails_keeps_the_bucket_private(condition: dict[str, Any]) -> None:
    assert actions(READ | {"Condition": condition}) == []


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEqualsIfExists": {"aws:SourceVpce": "vpce-0abc"}},
        {"IpAddressIfExists": {"aws:SourceIp": "198.51.100.0/24"}},
        {"ForAllValues:StringEquals": {"aws:PrincipalOrgID": "o-exampleorgid"}},
        {"StringLike": {"aws:userid": "*"}},
        {"StringLike": {"aws:PrincipalOrgID": ["o-exampleorgid", "*"]}},
        {"IpAddress": {"aws:SourceIp": ["0.0.0.0/1", "128.0.0.0/1"]}},
        {"IpAddress": {"aws:SourceIp": "::/0"}},
        {"Bool": {"aws:SecureTransport": "true"}},
        {"StringNotEquals": {"aws:PrincipalOrgID": "o-exampleorgid"}},
    ],
)
def test_a_condition_that_anybody_fulfils_is_none(condition: dict[str, Any]) -> None:
    assert actions(READ | {"Condition": condition}) == ["s3:GetObject"]


def test_a_policy_that_is_not_there_allows_nothing_and_one_that_was_not_read_is_not_known() -> None:
    assert anonymous_actions_of({"Policy": json.dumps({"Statement": READ})}, "s3") == ["s3:GetObject"]
    assert anonymous_actions_of({}, "s3") == []
    assert anonymous_actions_of(None, "s3") is None


def test_the_key_that_aws_manages_for_a_service_is_the_accounts_own() -> None:
    own = {"StringEquals": {"kms:CallerAccount": "111122223333", "kms:ViaService": "rds.eu-west-1.amazonaws.com"}}
    assert actions(READ | {"Condition": own}) == []


def test_a_function_url_without_a_sign_in_is_everybodys() -> None:
    assert actions(READ | {"Condition": {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}}}) == ["s3:GetObject"]
