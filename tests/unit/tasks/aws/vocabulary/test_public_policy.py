"""What a bucket's policy allows anybody to do: which conditions restrict it, and which only seem to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from analysis.iam.resource_policy import Resource
from loaders.model import Source
from loaders.scope import Scope
from tasks.aws.vocabulary.public_policy import PublicPolicy, verdict_on_response

READ = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}


BUCKET = PublicPolicy(lambda bucket: verdict_on_response(bucket.item, Resource("s3")))


def anonymous_actions(response: dict[str, str] | None) -> list[str] | None:
    return BUCKET.anonymous_actions(Source(response, Scope(type="aws.s3.buckets", tenant="111122223333")))


def actions(*statements: dict[str, Any]) -> list[str] | None:
    return anonymous_actions({"Policy": json.dumps({"Version": "2012-10-17", "Statement": list(statements)})})


def test_a_statement_without_a_condition_is_public() -> None:
    assert actions(READ) == actions(READ | {"Principal": {"AWS": ["*"]}}) == ["s3:GetObject"]
    without_a_list = json.dumps({"Statement": READ})
    assert anonymous_actions({"Policy": without_a_list}) == ["s3:GetObject"]
    assert actions(READ | {"Effect": "Deny"}) == actions() == []


def test_not_action_counts_as_every_action() -> None:
    assert actions({"Effect": "Allow", "Principal": "*", "NotAction": "s3:DeleteBucket"}) == ["s3:*"]


def test_not_principal_counts_as_anybody() -> None:
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
def test_a_condition_that_nobody_else_can_fulfil_keeps_the_bucket_private(condition: dict[str, Any]) -> None:
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
def test_a_condition_that_anybody_can_fulfil_does_not_restrict(condition: dict[str, Any]) -> None:
    assert actions(READ | {"Condition": condition}) == ["s3:GetObject"]


def test_no_policy_allows_nothing_and_an_unread_policy_is_not_known() -> None:
    assert anonymous_actions({}) == []
    assert anonymous_actions(None) is None


def test_a_key_that_aws_manages_for_a_service_is_not_public() -> None:
    own = {"StringEquals": {"kms:CallerAccount": "111122223333", "kms:ViaService": "rds.eu-west-1.amazonaws.com"}}
    assert actions(READ | {"Condition": own}) == []


def test_a_function_url_without_authentication_is_public() -> None:
    assert actions(READ | {"Condition": {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}}}) == ["s3:GetObject"]
