"""How AWS's pages are read, over HTTP: every one, none twice, each asked for by what the last one said."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from tasks.aws.client import client as aws_api
from tasks.aws.client import credentials
from tasks.aws.client.client import AwsApi
from tasks.clients.rate_limiter import RedisRateLimiter
from tasks.failures import CallFailed, Failure
from tasks.resource import Tenant
from tests.servers.responses import ResponseServer

ACCOUNT = "111122223333"
KEYS = {"AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[ResponseServer]:
    with ResponseServer() as server:
        for name, value in (KEYS | {"AWS_ENDPOINT_URL": server.url}).items():
            monkeypatch.setenv(name, value)
        yield server


def pages(broker: redis.Redis, action: str, **parameters: Any) -> list[Any]:
    """Every response of a call."""

    async def run() -> list[Any]:
        tenant = Tenant(provider="aws", id=ACCOUNT, access={"partition": "aws"})
        api = AwsApi(tenant, "eu-west-1", RedisRateLimiter(broker), "aws")
        try:
            return [page async for page in api.pages(action, **parameters)]
        finally:
            await aws_api.close()
            credentials.forget(tenant.access)

    return asyncio.run(run())


def record(name: str, identifier: str = "") -> dict[str, Any]:
    own = {"SetIdentifier": identifier, "Weight": 1} if identifier else {}
    return {"Name": name, "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.9"}], **own}


def records(*found: dict[str, Any], before: dict[str, Any] | None = None) -> dict[str, Any]:
    """A page of records; `before`: the first of the next page."""
    response = {"ResourceRecordSets": list(found), "IsTruncated": before is not None, "MaxItems": "1"}
    if before:
        response |= {"NextRecordName": before["Name"], "NextRecordType": before["Type"]}
    if before and "SetIdentifier" in before:
        response["NextRecordIdentifier"] = before["SetIdentifier"]
    return response


def test_a_token_that_the_last_page_left_out_is_not_sent_again(aws: ResponseServer, broker: redis.Redis) -> None:
    """Route 53 names the next record by up to three: with the identifier of an earlier one it would skip some."""
    east, west, plain, last = record("a.", "east"), record("a.", "west"), record("b."), record("c.")
    aws.responses = {
        "route53:ListResourceRecordSets": {
            "": records(east, before=west),
            "west": records(west, before=plain),
            "name=b.": records(plain, before=last),
            "name=c.": records(last),
        }
    }
    found = pages(broker, "route53:ListResourceRecordSets", HostedZoneId="Z1")
    assert [page["ResourceRecordSets"][0]["Name"] for page in found] == ["a.", "a.", "b.", "c."]
    assert ["identifier" in call.text for call in aws.received] == [False, True, False, False]


def tagged(*arns: str, token: str = "") -> dict[str, Any]:
    return {"ResourceTagMappingList": [{"ResourceARN": arn, "Tags": []} for arn in arns], "PaginationToken": token}


def test_an_empty_page_with_a_token_is_no_end(aws: ResponseServer, broker: redis.Redis) -> None:
    aws.responses = {"resourcegroupstaggingapi:GetResources": [tagged(token="p2"), tagged(token="p3"), tagged("arn:1")]}
    found = pages(broker, "resourcegroupstaggingapi:GetResources")
    assert [len(page["ResourceTagMappingList"]) for page in found] == [0, 0, 1]


@pytest.mark.parametrize("back_to", ["first", "second", "third"])
def test_a_page_that_leads_back_ends_the_attempt(aws: ResponseServer, broker: redis.Redis, back_to: str) -> None:
    aws.responses = {
        "resourcegroupstaggingapi:GetResources": {
            "": tagged("arn:0", token="first"),
            "first": tagged("arn:1", token="second"),
            "second": tagged("arn:2", token="third"),
            "third": tagged("arn:3", token=back_to),
        }
    }
    with pytest.raises(CallFailed, match="was used before") as caught:
        pages(broker, "resourcegroupstaggingapi:GetResources")
    assert caught.value.failure is Failure.INVALID_RESPONSE
    assert len(aws.received) == 4


def test_more_without_a_token_is_no_end(aws: ResponseServer, broker: redis.Redis) -> None:
    aws.responses = {"kms:ListKeys": [{"Keys": [], "Truncated": True}]}
    with pytest.raises(CallFailed, match="more pages, but no token") as caught:
        pages(broker, "kms:ListKeys")
    assert caught.value.failure is Failure.INVALID_RESPONSE


def test_a_token_without_the_flag_that_there_is_more_is_followed(aws: ResponseServer, broker: redis.Redis) -> None:
    """The model lets the flag be absent: that says nothing of the end, as the token does."""
    aws.responses = {"kms:ListKeys": [{"Keys": [{"KeyId": "1"}], "NextMarker": "p2"}, {"Keys": [{"KeyId": "2"}]}]}
    assert [page["Keys"][0]["KeyId"] for page in pages(broker, "kms:ListKeys")] == ["1", "2"]


@pytest.mark.parametrize(
    ("action", "first", "second"),
    [
        (
            "iam:ListServiceSpecificCredentials",
            {"ServiceSpecificCredentials": [], "IsTruncated": True, "Marker": "p2"},
            {"ServiceSpecificCredentials": [], "IsTruncated": False},
        ),
        ("rds:DescribeDBShardGroups", {"DBShardGroups": [], "Marker": "p2"}, {"DBShardGroups": []}),
        (
            "dynamodb:ListGlobalTables",
            {"GlobalTables": [], "LastEvaluatedGlobalTableName": "orders"},
            {"GlobalTables": []},
        ),
    ],
)
def test_a_call_without_a_paginator_is_read_to_its_end(
    aws: ResponseServer, broker: redis.Redis, action: str, first: dict[str, Any], second: dict[str, Any]
) -> None:
    aws.responses = {action: [first, second]}
    assert len(pages(broker, action)) == 2


def test_a_call_with_tokens_nobody_knows_to_send_is_no_end(aws: ResponseServer, broker: redis.Redis) -> None:
    aws.responses = {"firehose:ListDeliveryStreams": [{"DeliveryStreamNames": ["a"], "HasMoreDeliveryStreams": True}]}
    with pytest.raises(CallFailed, match="more pages, but no token"):
        pages(broker, "firehose:ListDeliveryStreams")
