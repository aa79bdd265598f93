"""Okta's API: pages by the header Link, rate limits of each group of endpoints, and a limit of calls at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from loaders.model import at
from tasks import variables
from tasks.budgeted import Answer, Refusal
from tasks.failures import Failure
from tasks.http import Further, HttpApi, HttpService, by_status, message_of, seconds_until
from tasks.rate_budget import Budget, Limit
from tasks.resource import Tenant

GONE: Final = "E0000007"  # resource not found
RESERVE: Final = 0.1  # of each limit: what signs people in has the same one, and comes first
CONCURRENCY_SECONDS: Final = 1.0  # too many at a time is said without a time: it is over soon

_DENIED: Final = {"E0000006", "E0000011", "E0000005"}  # no permission, no valid token, no session
_LIMIT: Final = Limit(initial=5, highest=30)


def bucket(action: str) -> tuple[str, Limit]:
    """Okta counts lists, and what has an id, apart: `users`, `users/id`, `groups`, ..."""
    words = action.partition("/api/v1/")[2].split("/")
    return f"{words[0]}/id" if len(words) > 1 else words[0], _LIMIT


def further(answer: Answer) -> Further:
    """By the header Link; lists of role assignments say it in the body."""
    link: str | None = answer.links.get("next") or at("_links.next.href", answer.body)
    return link


def refusal(answer: Answer) -> Refusal | None:
    found = by_status(answer)
    if found is None:
        return None
    code = answer.body.get("errorCode") if isinstance(answer.body, Mapping) else None
    if answer.status == 429:
        wait = CONCURRENCY_SECONDS if _number(answer, "x-rate-limit-limit") == 0 else _until_reset(answer)
        return Refusal(Failure.THROTTLED, code or "429", message_of(answer), wait)
    failure = Failure.GONE if code == GONE else Failure.DENIED if code in _DENIED else found.failure
    return Refusal(failure, code or found.code, found.reason, found.retry_after_seconds)


def exhausted(answer: Answer) -> float:
    """Seconds until the limit is new, once only the reserve of it is left."""
    limit, remaining = _number(answer, "x-rate-limit-limit"), _number(answer, "x-rate-limit-remaining")
    if limit is None or remaining is None or remaining > limit * RESERVE:
        return 0.0
    return _until_reset(answer) or 0.0


def _until_reset(answer: Answer) -> float | None:
    reset = _number(answer, "x-rate-limit-reset")
    return None if reset is None else seconds_until(answer, reset)


def _number(answer: Answer, header: str) -> int | None:
    text = answer.headers.get(header, "")
    return int(text) if text.isdigit() else None


SERVICE: Final = HttpService(
    limit=bucket, in_flight=10, further=further, refusal=refusal, exhausted=exhausted, items_at=""
)


async def connect(tenant: Tenant, region: str, budget: Budget) -> HttpApi:
    def headers() -> Mapping[str, Any]:
        return {"Authorization": f"SSWS {variables.held_by(tenant.access['api_key_variable'])}"}

    url = tenant.access["base_url"]
    return HttpApi(tenant=tenant, terms=SERVICE, budget=budget, base_url=url, headers=headers)
