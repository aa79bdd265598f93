"""Calls that depend on where they are made, over HTTP: buckets of newer regions, actions that a region hasn't got."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
import redis

from loaders.scope import GLOBAL
from tasks.aws.client import client as aws_api
from tasks.aws.client import credentials
from tasks.aws.client.client import AwsApi
from tasks.clients.rate_limiter import RedisRateLimiter
from tasks.engine.listing import Listing
from tasks.engine.registry import types
from tasks.failures import CallFailed, Failure
from tasks.resource import Item, Tenant
from tests.servers.aws import Effect, Fault
from tests.servers.responses import ResponseServer

ACCOUNT = "111122223333"
KEYS = {"AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"}

REGIONS = {"site": "us-east-1", "melbourne": "ap-southeast-4"}
DETAILS = {
    "s3:GetBucketAcl": {"Owner": {"ID": "75aa"}, "Grants": []},
    "s3:GetBucketPolicy": "NoSuchBucketPolicy",
    "s3:GetPublicAccessBlock": "NoSuchPublicAccessBlockConfiguration",
    "s3:GetBucketOwnershipControls": "OwnershipControlsNotFoundError",
    "s3:GetBucketEncryption": "ServerSideEncryptionConfigurationNotFoundError",
    "s3:GetBucketVersioning": {"Status": "Enabled"},
    "s3:GetBucketLogging": {},
}


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[ResponseServer]:
    with ResponseServer() as server:
        for name, value in (KEYS | {"AWS_ENDPOINT_URL": server.url}).items():
            monkeypatch.setenv(name, value)
        yield server


def within(broker: redis.Redis, region: str, work: Callable[[AwsApi], Awaitable[Any]], partition: str = "aws") -> Any:
    """What `work(api)` returns."""

    async def run() -> Any:
        tenant = Tenant(provider="aws", id=ACCOUNT, access={"partition": partition})
        try:
            return await work(AwsApi(tenant, region, RedisRateLimiter(broker), partition))
        finally:
            await aws_api.close()
            credentials.forget(tenant.access)

    return asyncio.run(run())


class TestBuckets:
    """Session tokens of the global STS endpoint mean nothing in a region that accounts have to enable, and of such a
    bucket S3 says no more at another region than that the token is invalid.
    """

    @pytest.fixture(autouse=True)
    def estate(self, aws: ResponseServer) -> None:
        buckets = [{"Name": name, "BucketRegion": region} for name, region in REGIONS.items()]
        aws.responses = {"s3:ListBuckets": [{"Buckets": buckets, "Owner": {"ID": "75aa"}}]}
        aws.responses |= {call: dict.fromkeys(REGIONS, response) for call, response in DETAILS.items()}
        refused: dict[str, Any] = {"bucket": "melbourne", "region": "us-east-1", "code": "InvalidToken", "status": 400}
        aws.simulator.add(Fault(Effect.DENY, service="s3", **refused))

    @pytest.mark.parametrize("name", [name for name, type_ in types().items() if "s3:ListBuckets" in type_.fetch.calls])
    def test_are_asked_about_in_their_own_regions(self, aws: ResponseServer, broker: redis.Redis, name: str) -> None:
        fetch = types()[name].fetch

        async def work(api: AwsApi) -> list[Item]:
            return [item async for item in fetch.items(api, "")]

        found = within(broker, GLOBAL, work)
        assert [item.failure for item in found] == [None, None]
        asked = {(call.bucket, call.region) for call in aws.received if call.bucket}
        assert asked == set(REGIONS.items())
        assert isinstance(fetch, Listing)
        assert len(aws.received) == 1 + 2 * len(fetch.details)

    def test_with_a_token_that_is_valid_nowhere_are_denied(self, aws: ResponseServer, broker: redis.Redis) -> None:
        aws.simulator.add(Fault(Effect.DENY, service="s3", code="InvalidToken", status=400, action="GetBucketAcl"))
        aws.responses["ec2:DescribeRegions"] = [
            {"Regions": [{"RegionName": "ap-southeast-4", "OptInStatus": "opted-in"}]}
        ]

        async def work(api: AwsApi) -> Any:
            await api.call("s3:ListBuckets")
            return await api.call("s3:GetBucketAcl", Bucket="melbourne")

        with pytest.raises(CallFailed) as caught:
            within(broker, GLOBAL, work)
        assert (caught.value.failure, caught.value.code) == (Failure.DENIED, "InvalidToken")


@pytest.mark.parametrize(
    ("region", "partition", "failure"),
    [
        ("ap-south-2", "aws", Failure.NOT_ENABLED),
        ("cn-north-1", "aws-cn", Failure.NOT_ENABLED),
        ("us-east-1", "aws", Failure.UNEXPECTED),
    ],
    ids=["a newer region", "a partition without it", "where everything is"],
)
def test_an_action_that_a_region_has_not_got(
    aws: ResponseServer, broker: redis.Redis, region: str, partition: str, failure: Failure
) -> None:
    """A mistake of ours would meet every region, and fails in the one that has everything."""
    aws.simulator.add(Fault(Effect.ERROR, service="ec2", code="InvalidAction", status=400))
    with pytest.raises(CallFailed) as caught:
        within(broker, region, lambda api: api.call("ec2:DescribeTransitGateways"), partition)
    assert caught.value.failure is failure
    if failure is Failure.NOT_ENABLED:
        assert caught.value.code == f"not available in {region}"
    assert len(aws.received) == 0, "once was enough"
    assert aws.simulator.calls().count("ec2") == 1


def test_tokens_that_sts_gives_are_valid_in_every_region() -> None:
    """Those of its endpoints by region are, also in regions that accounts have to enable."""
    session = credentials.session(None)
    assert session._session.get_config_variable("sts_regional_endpoints") == "regional"
    credentials.forget({})
