"""How long an API may make a scope wait, whatever its headers say."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Mapping
from email.utils import formatdate
from typing import Any, cast

import pytest
import redis
from botocore.exceptions import ClientError

from tasks.aws.client import client as aws
from tasks.clients.api_client import ApiClient, ApiPolicy, Response
from tasks.clients.rate_limiter import RateLimit, RedisRateLimiter
from tasks.crxcavator import api as crxcavator_api
from tasks.failures import RetryLater
from tasks.gcp import api as gcp_api
from tasks.github import api as github_api
from tasks.gsuite import api as gsuite_api
from tasks.okta import api as okta_api
from tasks.resource import Tenant
from tasks.waits import MAX_WAIT_SECONDS, believed, capped, retry_after

NOW = time.time()
DATE = {"date": formatdate(NOW, usegmt=True)}
LIMIT = RateLimit(initial=20, maximum=20)

POLICIES: Mapping[str, tuple[ApiPolicy, str]] = {
    "okta": (okta_api.SERVICE, "GET /api/v1/users"),
    "github": (github_api.SERVICE, "POST /graphql Members"),
    "crxcavator": (crxcavator_api.SERVICE, "GET /report"),
    "gcp": (gcp_api.POLICY, "compute:instances.list"),
    "gsuite": (gsuite_api.POLICY, "directory:users.list"),
}
NONSENSE = {
    "in milliseconds": {"retry-after": "120000000", "x-rate-limit-reset": f"{NOW * 1000:.0f}"},
    "reset in milliseconds": {"x-ratelimit-remaining": "0", "x-ratelimit-reset": f"{NOW * 1000:.0f}"},
    "tomorrow": {"retry-after": "86400"},
    "in two hours": {"retry-after": "7200"},
    "a date far away": {"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"},
    "a date that is none": {"retry-after": "Fri, 32 Dec 99999 23:59:59 GMT"},
    "a date without a zone": {"retry-after": "Fri, 31 Dec 9999 23:59:59 -0000"},
    "negative": {"retry-after": "-5", "x-rate-limit-reset": "-5", "x-ratelimit-reset": "-5"},
    "no number": {"retry-after": "nan", "x-rate-limit-reset": "inf", "x-ratelimit-reset": "1e400"},
    "a digit of another script": {"retry-after": "²", "x-rate-limit-reset": "²", "x-ratelimit-reset": "²"},
    "huge": {"retry-after": "9" * 5000, "x-rate-limit-reset": "9" * 5000, "x-ratelimit-reset": "9" * 5000},
    "empty": {"retry-after": "", "x-rate-limit-reset": "", "x-ratelimit-reset": ""},
}


@pytest.mark.parametrize(
    ("seconds", "waited"),
    [
        (None, None),
        (0.0, 0.0),
        (30.0, 30.0),
        (3600.0, MAX_WAIT_SECONDS),
        (7201.0, None),
        (-1.0, None),
        (math.nan, None),
        (math.inf, None),
    ],
)
def test_a_wait_is_believed_where_it_can_be_meant_and_for_some_minutes(
    seconds: float | None, waited: float | None
) -> None:
    assert believed(seconds) == waited


@pytest.mark.parametrize(("seconds", "waited"), [(-1, 0), (5, 5), (1e300, MAX_WAIT_SECONDS), (math.nan, 0)])
def test_what_code_asks_for_is_capped(seconds: float, waited: float) -> None:
    assert capped(seconds) == waited


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7), (" 7 ", 7), (formatdate(NOW + 90, usegmt=True), 90), ("soon", None)],
    ids=["a number", "with spaces", "a date", "neither"],
)
def test_retry_after_is_a_number_or_a_date(header: str, seconds: float | None) -> None:
    assert retry_after(Response(429, {"retry-after": header, **DATE}, None)) == seconds


@pytest.mark.parametrize("headers", NONSENSE.values(), ids=NONSENSE)
@pytest.mark.parametrize("provider", POLICIES)
def test_no_throttle_parks_an_account(broker: redis.Redis, provider: str, headers: dict[str, str]) -> None:
    """Nor does it end the scope as an unexpected error."""
    policy, action = POLICIES[provider]
    api = api_of(broker, policy)
    with pytest.raises(RetryLater) as caught:
        asyncio.run(api.response(action, lambda: Response(429, {**DATE, **headers}, None)))
    assert 0 <= caught.value.after_seconds <= MAX_WAIT_SECONDS + 1
    assert 0 < parked_seconds(broker) <= MAX_WAIT_SECONDS + 1


@pytest.mark.parametrize(
    "response",
    [
        Response(200, {**DATE, "x-rate-limit-limit": "600", "x-rate-limit-remaining": "0", **headers}, [])
        for headers in NONSENSE.values()
    ],
    ids=NONSENSE,
)
def test_no_good_response_parks_an_account(broker: redis.Redis, response: Response) -> None:
    asyncio.run(api_of(broker, okta_api.SERVICE).response("GET /api/v1/users", lambda: response))
    assert parked_seconds(broker) <= MAX_WAIT_SECONDS + 1


@pytest.mark.parametrize("reset", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "soon", None, 1e300])
def test_no_points_of_github_park_an_account(broker: redis.Redis, reset: object) -> None:
    body = {"data": {"rateLimit": {"cost": 1, "limit": 5000, "remaining": 0, "resetAt": reset}}}
    asyncio.run(api_of(broker, github_api.SERVICE).response("POST /graphql M", lambda: Response(200, DATE, body)))
    assert parked_seconds(broker) <= MAX_WAIT_SECONDS + 1


@pytest.mark.parametrize("headers", NONSENSE.values(), ids=NONSENSE)
def test_aws_says_how_long_as_all_others_do(headers: dict[str, str]) -> None:
    response: Any = {"Error": {"Code": "Throttling"}, "ResponseMetadata": {"HTTPHeaders": headers | DATE}}
    assert capped(believed(aws._retry_after(ClientError(response, "Describe"))) or 0) <= MAX_WAIT_SECONDS


@pytest.mark.parametrize("value", [10**15, -(10**15), "nan", "inf", "-inf", "soon", ""])
@pytest.mark.parametrize("name", ["blocked_ms", "at_ms", "tokens", "rate", "cut_ms"])
def test_no_bucket_is_parked_by_what_stands_in_redis(broker: redis.Redis, name: str, value: object) -> None:
    """What an older version wrote there, or somebody else."""
    key = "chartfleet:rate_limit:toy"
    broker.hset(key, name, str(value))
    rate_limiter = RedisRateLimiter(broker, longest_wait_seconds=0.1)

    async def calls() -> float:
        """Seconds after which a call is possible, whatever was tried in between."""
        waits = [0.0]
        for _ in range(3):
            try:
                await rate_limiter.acquire("toy", LIMIT)
            except RetryLater as later:
                waits.append(later.after_seconds)
        return max(waits)

    assert asyncio.run(calls()) <= MAX_WAIT_SECONDS + 60
    for field in ("blocked_ms", "at_ms"):
        stored = float(cast(bytes, broker.hget(key, field) or b"0"))
        if (name, field) != ("at_ms", "at_ms"):
            assert stored <= (time.time() + MAX_WAIT_SECONDS + 1) * 1000
    asyncio.run(rate_limiter.throttled("toy", LIMIT, 1.0))
    asyncio.run(rate_limiter.pause("toy", LIMIT, 1.0))


def api_of(broker: redis.Redis, policy: ApiPolicy) -> ApiClient:
    rate_limiter = RedisRateLimiter(broker, longest_wait_seconds=0.1)
    return ApiClient(tenant=Tenant(provider="toy", id="one"), policy=policy, rate_limiter=rate_limiter)


def parked_seconds(broker: redis.Redis) -> float:
    """For how long no call of the bucket may be sent."""
    (bucket,) = broker.scan_iter("chartfleet:rate_limit:*")
    until = float(cast(bytes, broker.hget(bucket, "blocked_ms") or b"0"))
    return max(0.0, until / 1000 - time.time())
