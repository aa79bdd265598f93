"""The throttle of the benchmark's proxy: a token bucket for each account and service, and AWS's own errors."""

from __future__ import annotations

import json

import pytest

from benchmarks.peer.api_call import ApiCall, Callers, call_of
from benchmarks.peer.throttle import Pace, Throttle, Throttling, throttled_response

EC2 = "/?Action=DescribeVpcs"


def call(path: str, service: str, *, account: str = "111122223333", region: str = "us-east-1", **more: str) -> ApiCall:
    return call_of("GET", path, headers(account, region, service, **more), b"", Callers())


def headers(account: str, region: str, service: str, **more: str) -> dict[str, str]:
    scope = f"{account}/20200101/{region}/{service}/aws4_request"
    return {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0", **more}


@pytest.mark.parametrize("by_region", [False, True])
def test_each_account_and_service_has_its_burst_and_its_rate(by_region: bool) -> None:
    now = 0.0
    throttling = Throttling(Throttle(calls_per_second=5, burst=10, by_region=by_region), lambda: now)
    for other in (call(EC2, "ec2"), call("/", "s3"), call(EC2, "ec2", account="444455556666")):
        assert [throttling.allows(other) for _ in range(12)].count(True) == 10
    assert throttling.allows(call(EC2, "ec2", region="eu-west-1")) is by_region
    now = 1.0
    assert [throttling.allows(call(EC2, "ec2")) for _ in range(12)].count(True) == 5


def test_the_share_of_throttled_calls_is_known_for_all_and_after_a_warm_up() -> None:
    pace = Pace(by_second=[[10, 30], [0, 0], [9, 1]])
    assert (pace.throttled, pace.throttled_share(), pace.throttled_share(1)) == (31, 31 / 50, 0.1)


@pytest.mark.parametrize(
    ("path", "service", "target", "status", "code"),
    [
        (EC2, "ec2", "", 503, "<Code>RequestLimitExceeded</Code>"),
        ("/?Action=ListUsers", "iam", "", 400, "<Code>Throttling</Code>"),
        ("/bucket?acl", "s3", "", 503, "<Code>SlowDown</Code>"),
        ("/", "dynamodb", "DynamoDB_20120810.ListTables", 400, "ThrottlingException"),
    ],
)
def test_it_answers_as_the_service_does(path: str, service: str, target: str, status: int, code: str) -> None:
    more = {"X-Amz-Target": target} if target else {}
    signed = headers("111122223333", "us-east-1", service, **more)
    response = throttled_response(call_of("GET", path, signed, b"", Callers()), signed)
    body = response.body
    assert isinstance(body, bytes)
    assert (response.status, code in body.decode()) == (status, True)
    assert not target or json.loads(body)["__type"] == code
