"""Why Google refuses, as its older and its newer APIs say it, or gives no token; what discovery documents say."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from google.oauth2 import service_account

from tasks.clients.api_client import Response
from tasks.clients.google import GoogleApi, google_policy, with_lists
from tasks.clients.google_documents import lists_of
from tasks.clients.google_errors import classify_google_error
from tasks.clients.local_rate_limiter import LocalRateLimiter
from tasks.clients.rate_limiter import RateLimit
from tasks.failures import CallFailed, Failure
from tasks.gsuite import api as gsuite_api
from tasks.resource import Tenant
from tests.servers import google_identity
from tests.servers.json_api import JsonApi, Reply


def response(code: int, **error: Any) -> Response:
    return Response(code, {}, {"error": {"code": code, "message": "no", **error}})


def older(reason: str) -> list[dict[str, str]]:
    return [{"domain": "usageLimits", "reason": reason}]


def newer(reason: str) -> list[dict[str, str]]:
    return [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}]


@pytest.mark.parametrize(
    ("answered", "failure", "code"),
    [
        (response(403, errors=older("userRateLimitExceeded")), Failure.THROTTLED, "userRateLimitExceeded"),
        (response(429, status="RESOURCE_EXHAUSTED"), Failure.THROTTLED, "RESOURCE_EXHAUSTED"),
        (response(403, errors=older("accessNotConfigured")), Failure.NOT_ENABLED, "accessNotConfigured"),
        (
            response(403, status="PERMISSION_DENIED", details=newer("SERVICE_DISABLED")),
            Failure.NOT_ENABLED,
            "SERVICE_DISABLED",
        ),
        (
            response(403, status="PERMISSION_DENIED", details=newer("IAM_PERMISSION_DENIED")),
            Failure.DENIED,
            "IAM_PERMISSION_DENIED",
        ),
        (response(403, errors=older("dailyLimitExceeded")), Failure.UNEXPECTED, "dailyLimitExceeded"),
        (response(404, errors=older("notFound")), Failure.NOT_FOUND, "notFound"),
        (response(400, errors=older("invalid")), Failure.UNEXPECTED, "invalid"),
        (response(503, status="UNAVAILABLE"), Failure.TRANSIENT, "UNAVAILABLE"),
        (Response(502, {}, None), Failure.TRANSIENT, "502"),
    ],
)
def test_why_it_refuses(answered: Response, failure: Failure, code: str) -> None:
    refused = classify_google_error(answered)
    assert refused
    assert (refused.failure, refused.code) == (failure, code)


@pytest.mark.parametrize(
    ("action", "lists"),
    [
        ("directory:users.list", ("users",)),
        ("compute:firewalls.list", ("items",)),
        ("container:projects.locations.clusters.list", ("clusters",)),
        ("resourcemanager:projects.get", ()),
    ],
)
def test_what_an_response_lists_is_in_its_document(action: str, lists: tuple[str, ...]) -> None:
    assert lists_of(action) == lists


def test_a_list_that_google_leaves_out_is_empty() -> None:
    assert with_lists({"kind": "k"}, ("users",)) == {"kind": "k", "users": []}


USERS = "directory:users.list"
ROUTES = {
    google_identity.TOKEN_ROUTE: google_identity.token,
    "GET /admin/directory/v1/users": lambda asked: Reply({"users": [{"id": "1"}]}),
}


async def users(server: JsonApi, key_file: Path) -> list[Any]:
    identity = service_account.Credentials.from_service_account_file(key_file, scopes=gsuite_api.scopes())  # type: ignore[no-untyped-call]
    api = GoogleApi(
        tenant=Tenant(provider="toy", id="one"),
        policy=google_policy({"directory": RateLimit(initial=20, maximum=20)}, in_flight=2),
        rate_limiter=LocalRateLimiter(),
        identity=identity,
        endpoint=server.url,
    )
    return [user async for page in api.pages(USERS, customer="my_customer") for user in page["users"]]


def test_a_token_endpoint_that_is_away_is_asked_again(tmp_path: Path) -> None:
    with JsonApi(ROUTES, google_identity.guard) as server:
        server.refuse(google_identity.TOKEN_ROUTE, 503, times=4)  # Google's own client tries three times
        assert asyncio.run(users(server, google_identity.key_file(tmp_path / "key.json", server.url))) == [{"id": "1"}]
        assert server.counts[google_identity.TOKEN_ROUTE] == 5


def test_credentials_that_get_no_token_are_denied_at_once(tmp_path: Path) -> None:
    with JsonApi(ROUTES, google_identity.guard) as server:
        server.refuse(google_identity.TOKEN_ROUTE, 400, body={"error": "invalid_grant", "error_description": "no"})
        with pytest.raises(CallFailed, match="no token is issued: invalid_grant: no") as caught:
            asyncio.run(users(server, google_identity.key_file(tmp_path / "key.json", server.url)))
        assert caught.value.failure is Failure.DENIED
        assert server.counts == {google_identity.TOKEN_ROUTE: 1}
