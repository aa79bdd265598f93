"""What is read of a response is bounded, for every client: bytes, seconds, values, depth. The call fails, and says by
which limit; the process stays as it was.
"""

from __future__ import annotations

import asyncio
import gzip
import resource
import socket
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials

from tasks.aws.client import client as aws_client
from tasks.aws.client.client import AwsApi
from tasks.clients import client
from tasks.clients.google import GoogleApi, google_policy
from tasks.clients.http import HttpApi, HttpService
from tasks.clients.http_requests import close_http
from tasks.clients.local_rate_limiter import LocalRateLimiter
from tasks.clients.rate_limiter import RateLimit
from tasks.clients.response_limits import (
    MAX_VALUES,
    ResponseLimitExceeded,
    ResponseLimits,
    read_json,
    response_limits,
    set_response_limits,
)
from tasks.failures import CallFailed, Failure
from tasks.resource import Tenant
from tests.servers.hostile import Sender, at_once, bomb, head, running, slowly

FAST = RateLimit(initial=200, maximum=400)
JSON = head("application/json")
XML = head("text/xml")
Call = Callable[[str], Coroutine[Any, Any, Any]]


async def json_call(url: str) -> Any:
    service = HttpService(limit=lambda action: ("any", FAST), in_flight=2)
    tenant = Tenant(provider="toy", id="one")
    api = HttpApi(tenant=tenant, policy=service, base_url=url, headers=dict, rate_limiter=LocalRateLimiter())
    return await api.read_all("GET /users")


async def google_call(url: str) -> Any:
    api = GoogleApi(
        tenant=Tenant(provider="toy", id="one"),
        policy=google_policy({"directory": FAST}, in_flight=2),
        rate_limiter=LocalRateLimiter(),
        identity=AnonymousCredentials(),  # type: ignore[no-untyped-call]
        endpoint=url,
    )
    return await api.read_all("directory:users.list", customer="my_customer")


async def _aws(url: str, action: str) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", url)
        patch.setenv("AWS_ACCESS_KEY_ID", "123456789012")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
        tenant = Tenant(provider="aws", id="123456789012")
        try:
            return await AwsApi(tenant, "eu-west-1", LocalRateLimiter(), "aws").read_all(action)
        finally:
            await aws_client.close()


async def aws_json_call(url: str) -> Any:
    return await _aws(url, "dynamodb:ListTables")


async def aws_xml_call(url: str) -> Any:
    return await _aws(url, "iam:ListUsers")


every_client = pytest.mark.parametrize(
    ("call", "start"),
    [(json_call, JSON), (google_call, JSON), (aws_json_call, JSON), (aws_xml_call, XML)],
    ids=["json", "google", "aws-json", "aws-xml"],
)
decompressing = pytest.mark.parametrize("call", [json_call, google_call])


@pytest.fixture(autouse=True)
def limits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As before, after each test; and short pauses between attempts at a call whose response can't be read."""
    monkeypatch.setattr(client, "MAX_BACKOFF_SECONDS", 0.05)
    before = response_limits()
    yield
    set_response_limits(before)


def failure(call: Call, send: Sender) -> CallFailed:
    """How the call fails."""

    async def work(url: str) -> Any:
        try:
            return await call(url)
        finally:
            await close_http()

    with running(send) as url, pytest.raises(CallFailed) as caught:
        asyncio.run(work(url))
    return caught.value


def peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_000


@decompressing
def test_a_compressed_bomb_is_not_unpacked(call: Call) -> None:
    set_response_limits(ResponseLimits(max_bytes=2_000_000))
    packed = bomb(100)
    before = peak_megabytes()
    failed = failure(call, at_once(head("application/json", "Content-Encoding: gzip"), packed))
    assert failed.failure is Failure.INVALID_RESPONSE
    assert failed.reason == "the response has more than 2,000,000 bytes (max_response_bytes)"
    assert failed.action in ("GET /users", "directory:users.list")
    assert peak_megabytes() - before < 60


@decompressing
def test_nor_is_one_inside_another(call: Call) -> None:
    set_response_limits(ResponseLimits(max_bytes=2_000_000))
    packed = gzip.compress(bomb(100))
    before = peak_megabytes()
    failed = failure(call, at_once(head("application/json", "Content-Encoding: gzip, gzip"), packed))
    assert failed.reason == "the response has more than 2,000,000 bytes (max_response_bytes)"
    assert peak_megabytes() - before < 60


@every_client
def test_more_bytes_than_the_limit_end_the_call(call: Call, start: bytes) -> None:
    """Once: it would be the same again."""
    set_response_limits(ResponseLimits(max_bytes=2_000_000))
    requests: list[object] = []

    def send(connection: socket.socket) -> None:
        requests.append(connection)
        at_once(start, b" " * 20_000_000)(connection)

    failed = failure(call, send)
    assert (failed.failure, len(requests)) == (Failure.INVALID_RESPONSE, 1)
    assert "2,000,000 bytes" in failed.reason


@every_client
@pytest.mark.parametrize("part", ["status line", "headers", "body", "chunks"])
def test_a_byte_now_and_then_ends_at_the_limit_of_time(call: Call, start: bytes, part: str) -> None:
    set_response_limits(ResponseLimits(max_seconds=0.6))
    chunked = start.replace(b"Connection: close", b"Transfer-Encoding: chunked")
    fast, slow = {
        "status line": (b"", start),
        "headers": (start[:17], start[17:]),
        "body": (start, b" " * 1_000),
        "chunks": (chunked, b"1\r\n \r\n" * 1_000),
    }[part]
    started = time.monotonic()
    failed = failure(call, slowly(fast, slow, seconds=0.1))
    assert failed.failure is Failure.INVALID_RESPONSE
    assert failed.reason == "the response takes longer than 0.6 s (max_response_seconds)"
    assert time.monotonic() - started < 5


@every_client
@pytest.mark.parametrize("depth", [500, 200_000])
def test_a_deep_response_costs_itself(call: Call, start: bytes, depth: int) -> None:
    """Both one that Python's parser gives up, and one that it reads, which functions that call themselves don't."""
    listed = b'{"Users":' if b"json" in start else b"<Users>"
    body = (b"<a>" * depth + b"</a>" * depth) if start == XML else listed + b"[" * depth + b"]" * depth + b"}"
    failed = failure(call, at_once(start, body))
    assert failed.failure is Failure.INVALID_RESPONSE


@every_client
def test_more_values_than_the_limit_are_not_parsed(call: Call, start: bytes) -> None:
    """Few bytes may be many values, each of which takes more memory than its text."""
    body = b"<a/>" * (MAX_VALUES + 1) if start == XML else b"[" + b"{}," * (MAX_VALUES // 2 + 1) + b"0]"
    before = peak_megabytes()
    failed = failure(call, at_once(start, body))
    assert failed.failure is Failure.INVALID_RESPONSE
    assert "values" in failed.reason
    assert peak_megabytes() - before < 150


def test_entities_are_not_expanded() -> None:
    body = b'<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]><ListUsersResponse>&c;</ListUsersResponse>'
    assert "document type" in failure(aws_xml_call, at_once(XML, body)).reason


def test_a_number_of_too_many_digits_costs_itself() -> None:
    assert read_json(b'{"a": ' + b"9" * 5_000 + b', "b": 1}') == {"a": "9" * 5_000, "b": 1}


def test_what_is_not_json_is_told_from_what_is_too_much() -> None:
    with pytest.raises(ResponseLimitExceeded, match="100 levels"):
        read_json(b"[" * 200 + b"]" * 200)
    with pytest.raises(ValueError, match="Expecting value"):
        read_json(b"<html>")
