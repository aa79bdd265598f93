"""Values in AWS's responses that can't be what they should be, over HTTP: each costs itself, and the response is
read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
import redis

from tasks.aws.client import client as aws_api
from tasks.aws.client import credentials
from tasks.aws.client.client import AwsApi
from tasks.aws.client.parsing import NoTime
from tasks.clients.rate_limiter import RedisRateLimiter
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


def response(broker: redis.Redis, action: str) -> Mapping[str, Any]:
    async def run() -> Mapping[str, Any]:
        tenant = Tenant(provider="aws", id=ACCOUNT, access={"partition": "aws"})
        try:
            return await AwsApi(tenant, "eu-west-1", RedisRateLimiter(broker), "aws").call(action)
        finally:
            await aws_api.close()
            credentials.forget(tenant.access)

    return asyncio.run(run())


def test_a_time_in_milliseconds_is_no_time(aws: ResponseServer, broker: redis.Redis) -> None:
    """Read as seconds it lies in the year 58244, and botocore's own parser gives up the whole response."""
    aws.responses["secretsmanager:ListSecrets"] = (
        b'{"SecretList": [{"Name": "one", "LastAccessedDate": 1775836321122, "CreatedDate": 1714552200.5},'
        b' {"Name": "two", "LastAccessedDate": 1775836321}]}'
    )
    one, two = response(broker, "secretsmanager:ListSecrets")["SecretList"]
    assert one["LastAccessedDate"] == NoTime(1775836321122)
    assert one["CreatedDate"] == datetime(2024, 5, 1, 8, 30, 0, 500_000, tzinfo=UTC)
    assert two["LastAccessedDate"] == datetime(2026, 4, 10, 15, 52, 1, tzinfo=UTC)


def test_a_time_that_is_none_in_xml_is_no_time(aws: ResponseServer, broker: redis.Redis) -> None:
    aws.responses["rds:DescribeDBClusters"] = (
        b"<DescribeDBClustersResponse><DescribeDBClustersResult><DBClusters><DBCluster>"
        b"<DBClusterIdentifier>orders</DBClusterIdentifier><ClusterCreateTime>+58244-01-01T00:00:00Z</ClusterCreateTime>"
        b"</DBCluster></DBClusters></DescribeDBClustersResult></DescribeDBClustersResponse>"
    )
    [cluster] = response(broker, "rds:DescribeDBClusters")["DBClusters"]
    assert cluster == {"DBClusterIdentifier": "orders", "ClusterCreateTime": NoTime("+58244-01-01T00:00:00Z")}


def test_a_character_that_xml_does_not_have_costs_itself(aws: ResponseServer, broker: redis.Redis) -> None:
    """AWS writes what users wrote as a reference by number, and XML forbids that one too."""
    aws.responses["ec2:DescribeSecurityGroups"] = (
        b"<DescribeSecurityGroupsResponse><securityGroupInfo><item><groupId>sg-1</groupId>"
        b"<groupDescription>bell &#x7; and half &#xD83D;</groupDescription></item></securityGroupInfo>"
        b"</DescribeSecurityGroupsResponse>"
    )
    [group] = response(broker, "ec2:DescribeSecurityGroups")["SecurityGroups"]
    assert group == {"GroupId": "sg-1", "Description": "bell \ufffd and half \ufffd"}
