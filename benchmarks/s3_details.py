"""Fetching 1,000 buckets with all details, at 80 ms per call: python -m benchmarks.s3_details

Fetches every S3 type from a simulated AWS through the rate limiter of a real Redis, one type after the other, and
compares that with a client that makes one call after the other, for a sample of the buckets. Exit code 1 if it takes
more than a tenth of the serial time.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import boto3
import redis
from botocore import xform_name

from demo import estate
from loaders.scope import GLOBAL
from tasks.aws.client import client
from tasks.aws.client.client import AwsApi
from tasks.clients.rate_limiter import RedisRateLimiter
from tasks.engine import registry
from tasks.engine.listing import Listing
from tasks.resource import ResourceType, Tenant
from tests.fleet.running import AWS_KEYS
from tests.servers.aws import AwsServer
from workers import embedded

ACCOUNT: Final = "123456789012"
BUCKETS: Final = 1_000
SAMPLE: Final = 25
CALL_SECONDS: Final = 0.08
MAX_SHARE: Final = 1 / 10  # of the serial time


def main() -> int:
    types = [type_ for type_ in registry.of("aws") if type_.name.startswith("aws.s3.")]
    with AwsServer() as aws, tempfile.TemporaryDirectory(prefix="chartfleet-") as directory:
        os.environ |= AWS_KEYS | {"AWS_ENDPOINT_URL": aws.url}
        estate.grow(aws.url, buckets=BUCKETS, account=ACCOUNT)
        aws.latency(CALL_SECONDS)
        serial = one_after_the_other(types) * BUCKETS / SAMPLE
        broker = embedded.start_broker(Path(directory))
        try:
            aws.reset()
            aws.latency(CALL_SECONDS)
            start = time.monotonic()
            items = asyncio.run(fetched(types, redis.Redis.from_url(broker.url)))
            seconds = time.monotonic() - start
            calls = aws.calls(recent=0)
        finally:
            broker.stop()
    print(f"{BUCKETS:,} buckets, {sum(calls.counts.values()):,} calls of {CALL_SECONDS * 1000:.0f} ms")
    for name, count in items.items():
        print(f"  {name:<36}{count:>6,} items")
    print(f"one after the other  {serial:>8.1f} s, estimated from {SAMPLE} buckets")
    print(f"Chartfleet           {seconds:>8.1f} s, at most {calls.max_in_flight} concurrent calls")
    print(f"ratio                {serial / seconds:>8.1f}")
    return 0 if seconds < serial * MAX_SHARE else 1


def one_after_the_other(types: list[ResourceType]) -> float:
    """Seconds to read the details of a sample of buckets."""
    s3: Any = boto3.client("s3", region_name="us-east-1")
    names = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]][:SAMPLE]
    operations = [
        detail.action.split(":")[1]
        for type_ in types
        if isinstance(type_.fetch, Listing) and type_.fetch.action == "s3:ListBuckets"
        for detail in type_.fetch.details
    ]
    start = time.monotonic()
    for name in names:
        for operation in operations:
            with suppress(s3.exceptions.ClientError):  # the bucket has none
                getattr(s3, xform_name(operation))(Bucket=name)
    return time.monotonic() - start


async def fetched(types: list[ResourceType], broker: redis.Redis) -> dict[str, int]:
    tenant = Tenant(provider="aws", id=ACCOUNT, name="benchmark", access={})
    counts: dict[str, int] = {}
    try:
        for type_ in types:
            api = AwsApi(tenant, GLOBAL, RedisRateLimiter(broker), "aws")
            items = [item async for item in type_.fetch.items(api, "")]
            assert all(item.failure is None for item in items), items
            counts[type_.name] = len(items)
    finally:
        await client.close()
    return counts


if __name__ == "__main__":
    sys.exit(main())
