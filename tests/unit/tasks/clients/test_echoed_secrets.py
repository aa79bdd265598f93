"""A server that repeats what it was sent, in any form: nothing of it reaches the ledger."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import quote

import pytest
from google.oauth2.credentials import Credentials

from tasks.aws.client import client as aws_client
from tasks.aws.client.client import AwsApi
from tasks.clients.google import GoogleApi, google_policy
from tasks.clients.http import HttpApi, HttpService
from tasks.clients.http_requests import close_http
from tasks.clients.local_rate_limiter import LocalRateLimiter
from tasks.clients.rate_limiter import RateLimit
from tasks.engine.ending import Ending
from tasks.failures import CallFailed
from tasks.resource import Gap, Tenant
from tests.servers.json_api import Asked, JsonApi, Reply

TOKEN = "00Ab+cd/EFgh1jKlm_no-echo"  # as a test needs one
FAST = RateLimit(initial=200, maximum=400)
FORMS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "percent-encoded": lambda text: quote(text, safe=""),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "cut": lambda text: "x" * 170 + text,
}


async def by_json(url: str) -> Any:
    service = HttpService(limit=lambda action: ("any", FAST), in_flight=2)
    headers = {"Authorization": f"SSWS {TOKEN}"}
    tenant = Tenant(provider="toy", id="one")
    api = HttpApi(tenant=tenant, policy=service, base_url=url, headers=lambda: headers, rate_limiter=LocalRateLimiter())
    return await api.read_all("GET /users")


async def by_google(url: str) -> Any:
    api = GoogleApi(
        tenant=Tenant(provider="toy", id="one"),
        policy=google_policy({"directory": FAST}, in_flight=2),
        rate_limiter=LocalRateLimiter(),
        identity=Credentials(TOKEN),  # type: ignore[no-untyped-call]
        endpoint=url,
    )
    return await api.read_all("directory:users.list", customer="my_customer")


async def by_aws(url: str) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", url)
        patch.setenv("AWS_ACCESS_KEY_ID", "123456789012")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
        patch.setenv("AWS_SESSION_TOKEN", TOKEN)
        try:
            tenant = Tenant(provider="aws", id="123456789012")
            return await AwsApi(tenant, "eu-west-1", LocalRateLimiter(), "aws").read_all("dynamodb:ListTables")
        finally:
            await aws_client.close()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("call", [by_json, by_google, by_aws])
def test_no_reason_repeats_a_token(call: Callable[[str], Coroutine[Any, Any, Any]], form: str) -> None:
    def echo(asked: Asked) -> Reply:
        sent = asked.headers.get("x-amz-security-token") or asked.headers["authorization"].split()[1]
        text = f"invalid token {FORMS[form](sent)}"
        return Reply({"message": text, "__type": "InvalidThing", "error": {"message": text, "status": "X"}}, 400)

    async def work(url: str) -> None:
        try:
            await call(url)
        finally:
            await close_http()

    routes = {"GET /users": echo, "GET /admin/directory/v1/users": echo, "POST /": echo}
    with JsonApi(routes) as server, pytest.raises(CallFailed) as caught:
        asyncio.run(work(server.url))
    ended = Ending.of(caught.value).reason.to_json()
    assert "***" in ended
    for kept in (ended, Gap.of(caught.value).as_reason.to_json()):
        assert TOKEN[:8] not in kept
        assert FORMS[form](TOKEN)[:8] not in kept or form == "cut"
