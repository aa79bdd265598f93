"""GitHub's two kinds of limits, and the errors that it answers with status 200."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.clients.api_client import Response
from tasks.failures import Failure
from tasks.github import api

DATE = "Fri, 27 Nov 2026 08:00:00 GMT"
NOW = 1795766400


def response(status: int = 200, body: Any = None, **headers: Any) -> Response:
    named = {name.replace("_", "-"): str(value) for name, value in headers.items()}
    return Response(status, {"date": DATE, **named}, body)


def with_points(remaining: int, cost: int = 1) -> Response:
    limits = {"cost": cost, "limit": 5000, "remaining": remaining, "resetAt": "2026-11-27T08:10:00Z"}
    return response(body={"data": {"rateLimit": limits}})


def test_a_twentieth_of_the_points_is_left_to_others() -> None:
    assert api.exhausted(with_points(252)) == 0
    assert api.exhausted(with_points(251)) == 600
    assert api.exhausted(response(body={"data": {"rateLimit": None}})) == 0, "a server without limits"


@pytest.mark.parametrize(
    ("answered", "wait"),
    [
        (response(403, {"message": "You have exceeded a secondary rate limit"}, retry_after=7), 7),
        (response(403, {"message": "You have exceeded a secondary rate limit"}), api.SECONDARY_SECONDS),
        (
            response(429, {"message": "API rate limit exceeded"}, x_ratelimit_remaining=0, x_ratelimit_reset=NOW + 90),
            90,
        ),
        (
            response(200, {"errors": [{"type": "RATE_LIMITED"}]}, x_ratelimit_remaining=0, x_ratelimit_reset=NOW + 90),
            90,
        ),
        (response(200, {"errors": [{"type": "RATE_LIMIT"}]}, x_ratelimit_remaining=0, x_ratelimit_reset=NOW + 90), 90),
        (response(200, {"errors": [{"code": "graphql_rate_limit"}]}), api.SECONDARY_SECONDS),
        (response(200, {"errors": [{"message": "API rate limit exceeded for user ID 1."}]}), api.SECONDARY_SECONDS),
        (response(200, {"errors": [{"message": "?"}]}, x_ratelimit_remaining=0, x_ratelimit_reset=NOW + 90), 90),
        (response(502, None, x_ratelimit_remaining=0, x_ratelimit_reset=NOW + 90), 90),
        (response(503, None, retry_after=7), 7),
        (response(200, {"errors": [{"type": "SOMETHING_NEW"}]}, retry_after=7), 7),
    ],
)
def test_limits_say_how_long(answered: Response, wait: float) -> None:
    refused = api.classify_error(answered)
    assert refused
    assert (refused.failure, refused.retry_after_seconds) == (Failure.THROTTLED, wait)


def errors(*found: dict[str, Any], data: Any = None) -> Response:
    return response(body={"data": data, "errors": list(found)})


@pytest.mark.parametrize(
    ("answered", "failure"),
    [
        (response(401, {"message": "Bad credentials"}), Failure.DENIED),
        (response(403, {"message": "Resource not accessible"}), Failure.DENIED),
        (errors({"type": "NOT_FOUND", "path": ["organization"]}, data={"organization": None}), Failure.NOT_FOUND),
        (errors({"type": "INSUFFICIENT_SCOPES", "message": "needs read:org"}), Failure.DENIED),
        (errors({"message": "Something went wrong while executing your query"}), Failure.TRANSIENT),
        (errors({"type": "MAX_NODE_LIMIT_EXCEEDED", "message": "too many"}), Failure.UNEXPECTED),
        (errors({"type": "SERVICE_UNAVAILABLE", "message": "later"}), Failure.TRANSIENT),
        (errors({"message": "timedout", "locations": [{}]}), Failure.TRANSIENT),
        (
            errors({"extensions": {"code": "undefinedField"}, "path": ["query Q", "organization", "x"]}),
            Failure.UNEXPECTED,
        ),
        (errors({"extensions": {"code": "argumentLiteralsIncompatible"}, "message": "no"}), Failure.UNEXPECTED),
        (errors({"message": "Parse error on }", "locations": [{"line": 1, "column": 1}]}), Failure.UNEXPECTED),
        (response(502, None), Failure.TRANSIENT),
        (response(200, {"data": None}), Failure.INVALID_RESPONSE),
    ],
)
def test_why_it_refuses(answered: Response, failure: Failure) -> None:
    refused = api.classify_error(answered)
    assert refused
    assert refused.failure is failure


def test_errors_of_single_nodes_are_for_whoever_asked() -> None:
    found = errors({"type": "NOT_FOUND", "path": ["nodes", 3]}, data={"nodes": [{}, {}, {}, None]})
    assert api.classify_error(found) is None


def test_a_reason_of_its_own_is_none_of_the_limit() -> None:
    """Points that were used up by a query that is refused for good: it would be refused again."""
    used_up = {"x_ratelimit_remaining": 0, "x_ratelimit_reset": NOW + 90}
    for error in ({"type": "FORBIDDEN"}, {"type": "NOT_FOUND"}, {"extensions": {"code": "undefinedField"}}):
        refused = api.classify_error(response(200, {"errors": [error]}, **used_up))
        assert refused
        assert refused.failure is not Failure.THROTTLED


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (
            {"type": "FORBIDDEN", "extensions": {"saml_failure": True}, "message": "Resource protected"},
            "FORBIDDEN (authorize the token for the organization's SAML single sign-on)",
        ),
        (
            {"type": "FORBIDDEN", "message": "the `example` organization has an IP allow list enabled"},
            "FORBIDDEN (this address isn't on the organization's IP allow list)",
        ),
        (
            {"message": "The 'id' field requires one of the following scopes: ['read:org', 'read:discussion'], but"},
            "INSUFFICIENT_SCOPES (id needs read:org or read:discussion)",
        ),
    ],
)
def test_what_is_denied_says_what_would_help(error: dict[str, Any], code: str) -> None:
    for refused in (
        api.classify_error(errors(error)),
        api.classify_error(response(403, {"message": error["message"]})),
    ):
        assert refused
        assert refused.failure is Failure.DENIED
    refused = api.classify_error(errors(error))
    assert refused
    assert refused.code == code


def test_each_scope_that_is_missing_is_named() -> None:
    lacking = [
        {
            "type": "INSUFFICIENT_SCOPES",
            "message": f"The '{field}' field requires one of the following scopes: ['{scope}']",
        }
        for field, scope in (("email", "user:email"), ("login", "read:org"))
    ]
    refused = api.classify_error(errors(*lacking))
    assert refused
    assert refused.code == "INSUFFICIENT_SCOPES (email needs user:email, login needs read:org)"


@pytest.mark.parametrize(
    "limits", [None, {}, [], {"remaining": None, "limit": 1, "cost": 1}, {"remaining": 0, "limit": 1, "cost": 1}]
)
def test_limits_that_say_nothing_hold_nothing_up(limits: Any) -> None:
    assert api.exhausted(response(body={"data": {"rateLimit": limits}})) == 0
