"""What Okta's answers say: which calls share a limit, when the next is welcome, why one is refused."""

from __future__ import annotations

import pytest

from tasks.budgeted import Answer
from tasks.failures import Failure
from tasks.okta import api

DATE = "Fri, 27 Nov 2026 08:00:00 GMT"
NOW = 1795766400


def answer(status: int = 200, body: object = None, **headers: object) -> Answer:
    named = {name.replace("_", "-"): str(value) for name, value in headers.items()}
    return Answer(status, {"date": DATE, **named}, body)


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
    left = {"x_rate_limit_limit": 600, "x_rate_limit_reset": NOW + 30}
    assert api.exhausted(answer(x_rate_limit_remaining=61, **left)) == 0
    assert api.exhausted(answer(x_rate_limit_remaining=60, **left)) == 30, "by Okta's own clock"
    assert api.exhausted(answer()) == 0


def test_a_throttle_says_when_and_one_for_too_many_at_a_time_doesnt() -> None:
    body = {"errorCode": "E0000047", "errorSummary": "API call exceeded rate limit"}
    refused = api.refusal(
        answer(429, body, x_rate_limit_limit=600, x_rate_limit_remaining=0, x_rate_limit_reset=NOW + 20)
    )
    assert refused
    assert (refused.failure, refused.code, refused.retry_after_seconds) == (Failure.THROTTLED, "E0000047", 20)
    at_a_time = api.refusal(
        answer(429, body, x_rate_limit_limit=0, x_rate_limit_remaining=0, x_rate_limit_reset=NOW + 20)
    )
    assert at_a_time
    assert at_a_time.retry_after_seconds == api.CONCURRENCY_SECONDS


@pytest.mark.parametrize(
    ("status", "code", "failure"),
    [
        (401, "E0000011", Failure.DENIED),
        (403, "E0000006", Failure.DENIED),
        (404, "E0000007", Failure.GONE),
        (400, "E0000001", Failure.OTHER),
        (503, "E0000009", Failure.TRANSIENT),
    ],
)
def test_why_it_refuses(status: int, code: str, failure: Failure) -> None:
    refused = api.refusal(answer(status, {"errorCode": code, "errorSummary": "no"}))
    assert refused
    assert (refused.failure, refused.code, refused.reason) == (failure, code, "no")
