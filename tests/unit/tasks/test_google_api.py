"""Why Google refuses, as its older and its newer APIs say it; what the discovery documents say of a method."""

from __future__ import annotations

from typing import Any

import pytest

from tasks import google_api
from tasks.budgeted import Answer
from tasks.failures import Failure


def answer(code: int, **error: Any) -> Answer:
    return Answer(code, {}, {"error": {"code": code, "message": "no", **error}})


def older(reason: str) -> list[dict[str, str]]:
    return [{"domain": "usageLimits", "reason": reason}]


def newer(reason: str) -> list[dict[str, str]]:
    return [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}]


@pytest.mark.parametrize(
    ("answered", "failure", "code"),
    [
        (answer(403, errors=older("userRateLimitExceeded")), Failure.THROTTLED, "userRateLimitExceeded"),
        (answer(429, status="RESOURCE_EXHAUSTED"), Failure.THROTTLED, "RESOURCE_EXHAUSTED"),
        (answer(403, errors=older("accessNotConfigured")), Failure.NOT_ENABLED, "accessNotConfigured"),
        (
            answer(403, status="PERMISSION_DENIED", details=newer("SERVICE_DISABLED")),
            Failure.NOT_ENABLED,
            "SERVICE_DISABLED",
        ),
        (
            answer(403, status="PERMISSION_DENIED", details=newer("IAM_PERMISSION_DENIED")),
            Failure.DENIED,
            "IAM_PERMISSION_DENIED",
        ),
        (answer(403, errors=older("dailyLimitExceeded")), Failure.OTHER, "dailyLimitExceeded"),
        (answer(404, errors=older("notFound")), Failure.GONE, "notFound"),
        (answer(400, errors=older("invalid")), Failure.OTHER, "invalid"),
        (answer(503, status="UNAVAILABLE"), Failure.TRANSIENT, "UNAVAILABLE"),
        (Answer(502, {}, None), Failure.TRANSIENT, "502"),
    ],
)
def test_why_it_refuses(answered: Answer, failure: Failure, code: str) -> None:
    refused = google_api.refusal(answered)
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
def test_what_an_answer_lists_is_in_its_document(action: str, lists: tuple[str, ...]) -> None:
    assert google_api.lists_of(action) == lists


def test_a_list_that_google_leaves_out_is_empty() -> None:
    assert google_api.with_lists({"kind": "k"}, ("users",)) == {"kind": "k", "users": []}
