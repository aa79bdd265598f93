"""Accounts share clients, and no call is ever signed for another account: real calls of many accounts at a time."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator

import pytest
import redis

from loaders.scope import GLOBAL
from tasks.aws.client import client, credentials
from tasks.aws.client.client import AwsApi
from tasks.clients.rate_limiter import RedisRateLimiter
from tasks.resource import Tenant
from tests.servers.aws import AwsServer

HUB = "111111111111"
ACCOUNTS = [f"{n:012}" for n in range(1, 9)]
CALLS = 25  # of each account


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsServer]:
    with AwsServer() as server:
        for name, value in {"ACCESS_KEY_ID": HUB, "SECRET_ACCESS_KEY": "x", "ENDPOINT_URL": server.url}.items():
            monkeypatch.setenv(f"AWS_{name}", value)
        credentials.forget_all()
        yield server
        credentials.forget_all()


def test_each_call_is_made_as_its_own_account(aws: AwsServer, broker: redis.Redis) -> None:
    async def one(api: AwsApi) -> tuple[str, str]:
        await asyncio.sleep(random.random() / 100)
        response = await api.call("sts:GetCallerIdentity")
        return api.tenant.id, response["Account"]

    async def all_of_them() -> tuple[list[tuple[str, str]], int]:
        apis = [_api(account, broker) for account in [HUB, *ACCOUNTS]]
        try:
            return await asyncio.gather(*(one(api) for _ in range(CALLS) for api in apis)), len(client._clients)
        finally:
            await client.close()

    identities, clients = asyncio.run(all_of_them())

    assert len(identities) == CALLS * (len(ACCOUNTS) + 1)
    assert [(of, seen) for of, seen in identities if of != seen] == []
    assert clients == 1


def test_a_role_is_assumed_once_however_many_calls_wait_for_it(aws: AwsServer, broker: redis.Redis) -> None:
    async def many() -> None:
        api = _api(ACCOUNTS[0], broker)
        try:
            await asyncio.gather(*(api.call("ec2:DescribeVpcs") for _ in range(20)))
        finally:
            await client.close()

    before = aws.calls().count("sts", action="AssumeRole")
    asyncio.run(many())
    assert aws.calls().count("sts", action="AssumeRole") - before == 1


def test_outside_a_call_nothing_is_signed(aws: AwsServer) -> None:
    async def sign() -> None:
        async with credentials.session(None).client("sts", region_name="us-east-1") as sts:
            await sts.get_caller_identity()

    with pytest.raises(LookupError):
        asyncio.run(sign())


def _api(account: str, broker: redis.Redis) -> AwsApi:
    access = {"partition": "aws"}
    if account != HUB:
        access["role"] = f"arn:aws:iam::{account}:role/reader"
    return AwsApi(Tenant(provider="aws", id=account, access=access), GLOBAL, RedisRateLimiter(broker), "aws")
