"""GitHub's two kinds of limits, and the errors that it answers with status 200."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.budgeted import Answer
from tasks.failures import Failure
from tasks.github import api

DATE = "Fri, 27 Nov 2026 08:00:00 GMT"
NOW = 1795766400


def answer(status: int = 200, body: Any = None, **headers: Any) -> Answer:
    named = {name.replace("_", "-"): str(value) for name, value in headers.items()}
    return Answer(status, {"date": DATE, **named}, body)


def with_points(remaining: int, cost: int = 1) -> Answer:
    limits = {"cost": cost, "limit": 5000, "remaining": remaining, "resetAt": "2026-11-27T08:10:00Z"}
    return answer(body={"data": {"rateLimit": limits}})


def test_a_twentieth_of_the_points_is_left_to_others() -> None:
    assert api.exhausted(with_points(252)) == 0
    assert api.exhausted(with_points(251)) == 600
    assert api.exhausted(answer(body={"data": {"rateLimit": None}})) == 0, "a server without limits"


@pytest.mark.parametrize(
    ("answered", "wait"),
    [
        (answer(403, {"message": "You have exceeded a secondary rate limit"}, retry_after=7), 7),
        (answer(403, {"message": "You have exceeded a secondary rate limit"}), api.SECONDARY_SECONDS),
        (answer(429, {"message": "API rate limit exceeded"}, x_ratelimit_remaining=0, x_ratelimit_reset=NOW + 90), 90),
        (answer(200, {"errors": [{"type": "RATE_LIMITED"}]}, x_ratelimit_remaining=0, x_ratelimit_reset=NOW + 90), 90),
    ],
)
def test_limits_say_how_long(answered: Answer, wait: float) -> None:
    refused = api.refusal(answered)
    assert refused
    assert (refused.failure, refused.retry_after_seconds) == (Failure.THROTTLED, wait)


def errors(*found: dict[str, Any], data: Any = None) -> Answer:
    return answer(body={"data": data, "errors": list(found)})


@pytest.mark.parametrize(
    ("answered", "failure"),
    [
        (answer(401, {"message": "Bad credentials"}), Failure.DENIED),
        (answer(403, {"message": "Resource not accessible"}), Failure.DENIED),
        (errors({"type": "NOT_FOUND", "path": ["organization"]}, data={"organization": None}), Failure.GONE),
        (errors({"type": "INSUFFICIENT_SCOPES", "message": "needs read:org"}), Failure.DENIED),
        (errors({"message": "Something went wrong while executing your query"}), Failure.TRANSIENT),
        (errors({"type": "MAX_NODE_LIMIT_EXCEEDED", "message": "too many"}), Failure.OTHER),
        (answer(502, None), Failure.TRANSIENT),
        (answer(200, {"data": None}), Failure.BAD_ANSWER),
    ],
)
def test_why_it_refuses(answered: Answer, failure: Failure) -> None:
    refused = api.refusal(answered)
    assert refused
    assert refused.failure is failure


def test_errors_of_single_nodes_are_for_whoever_asked() -> None:
    found = errors({"type": "NOT_FOUND", "path": ["nodes", 3]}, data={"nodes": [{}, {}, {}, None]})
    assert api.refusal(found) is None
