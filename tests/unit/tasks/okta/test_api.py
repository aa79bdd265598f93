"""What Okta's responses say: which calls share a limit, when the next is welcome, why one is refused."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.clients.api_client import Response
from tasks.failures import Failure
from tasks.okta import api

DATE = "Fri, 27 Nov 2026 08:00:00 GMT"
NOW = 1795766400


def response(status: int = 200, body: object = None, *, path: str = "", **headers: object) -> Response:
    named = {name.replace("_", "-"): str(value) for name, value in headers.items()}
    return Response(status, {"date": DATE, **named}, body, path=path)


@pytest.mark.parametrize(
    ("action", "bucket"),
    [
        ("GET /api/v1/users", "users"),
        ("GET /api/v1/users/{id}/factors", "users/id"),
        ("GET /api/v1/groups/{id}", "groups/id"),
        ("GET /api/v1/trustedOrigins", "trustedOrigins"),
    ],
)
def test_lists_and_what_has_an_id_are_counted_apart(action: str, bucket: str) -> None:
    assert api.bucket(action)[0] == bucket


def test_a_tenth_of_a_limit_is_left_to_others() -> None:
    left: dict[str, Any] = {"x_rate_limit_limit": 600, "x_rate_limit_reset": NOW + 30}
    assert api.exhausted(response(x_rate_limit_remaining=61, **left)) == 0
    assert api.exhausted(response(x_rate_limit_remaining=60, **left)) == 30, "by Okta's own clock"
    assert api.exhausted(response()) == 0


def test_a_throttle_says_when_and_one_for_too_many_at_a_time_doesnt() -> None:
    body = {"errorCode": "E0000047", "errorSummary": "API call exceeded rate limit"}
    refused = api.classify_error(
        response(429, body, x_rate_limit_limit=600, x_rate_limit_remaining=0, x_rate_limit_reset=NOW + 20)
    )
    assert refused
    assert (refused.failure, refused.code, refused.retry_after_seconds) == (Failure.THROTTLED, "E0000047", 20)
    at_a_time = api.classify_error(
        response(429, body, x_rate_limit_limit=0, x_rate_limit_remaining=0, x_rate_limit_reset=NOW + 20)
    )
    assert at_a_time
    assert at_a_time.retry_after_seconds == api.CONCURRENCY_SECONDS


@pytest.mark.parametrize(
    ("status", "code", "failure"),
    [
        (401, "E0000004", Failure.DENIED),
        (401, "E0000011", Failure.DENIED),
        (401, "E0000015", Failure.DENIED),
        (403, "E0000006", Failure.DENIED),
        (404, "E0000007", Failure.NOT_FOUND),
        (400, "E0000001", Failure.UNEXPECTED),
        (503, "E0000009", Failure.TRANSIENT),
    ],
)
def test_why_it_refuses(status: int, code: str, failure: Failure) -> None:
    refused = api.classify_error(response(status, {"errorCode": code, "errorSummary": "no"}))
    assert refused
    assert (refused.failure, refused.code, refused.reason) == (failure, code, "no")


def test_headers_that_come_twice_are_read_with_patience() -> None:
    """As they do behind a gateway that adds its own."""
    twice = response(
        x_rate_limit_limit="600, 600", x_rate_limit_remaining="80, 20", x_rate_limit_reset=f"{NOW + 10}, {NOW + 30}"
    )
    assert api.exhausted(twice) == 30


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x_rate_limit_limit": 600, "x_rate_limit_remaining": 0},
        {"x_rate_limit_limit": "many", "x_rate_limit_remaining": "-1", "x_rate_limit_reset": "soon"},
        {"x_rate_limit_limit": 600, "x_rate_limit_remaining": 0, "x_rate_limit_reset": NOW * 1000},
    ],
)
def test_a_throttle_without_a_time_is_a_throttle(headers: dict[str, Any]) -> None:
    refused = api.classify_error(response(429, None, **headers))
    assert refused
    assert (refused.failure, refused.retry_after_seconds) == (Failure.THROTTLED, None)
    assert api.exhausted(response(**headers)) == 0


def test_retry_after_counts_where_no_reset_is_named() -> None:
    refused = api.classify_error(response(429, "slow down", retry_after=7))
    assert refused
    assert refused.retry_after_seconds == 7


FACTORS = "/api/v1/users/00u1/factors"


@pytest.mark.parametrize(
    ("summary", "failure"),
    [
        ("Not found: Resource not found: 00u1 (User)", Failure.NOT_FOUND),
        ("Not found: Resource not found: ufs1 (UserFactor)", Failure.UNEXPECTED),
        ("Not found: Resource not found: null (OrgSetting)", Failure.UNEXPECTED),
        ("Not found: Resource not found", Failure.NOT_FOUND),
    ],
)
def test_an_item_is_gone_only_where_it_is_what_was_not_found(summary: str, failure: Failure) -> None:
    refused = api.classify_error(response(404, {"errorCode": "E0000007", "errorSummary": summary}, path=FACTORS))
    assert refused
    assert refused.failure is failure


@pytest.mark.parametrize(
    ("action", "told"),
    [
        ("GET /api/v1/users", "needs okta.users.read, as the role Read-Only Administrator has"),
        ("GET /api/v1/users/{id}/roles", "needs okta.roles.read, as the role Super Administrator has"),
        ("GET /api/v1/iam/assignees/users", "needs okta.roles.read, as the role Super Administrator has"),
    ],
)
def test_what_is_denied_names_the_permission_that_is_missing(action: str, told: str) -> None:
    refused = api.classify_error(response(403, {"errorCode": "E0000006", "errorSummary": "no"}))
    assert refused
    assert api.missing_permission(action, refused) == told


def test_a_token_that_is_not_valid_lacks_no_permission() -> None:
    refused = api.classify_error(response(401, {"errorCode": "E0000011", "errorSummary": "Invalid token provided"}))
    assert refused
    assert "the token is not valid" in api.missing_permission("GET /api/v1/users", refused)
