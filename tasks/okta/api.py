"""Okta's API: pages by the header Link, rate limits of each group of endpoints, and a limit of calls at a time."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from loaders.model import at
from tasks.clients import variables
from tasks.clients.client import Answer, Refusal
from tasks.clients.http import Further, HttpApi, HttpService, by_status, message_of, seconds_until
from tasks.clients.rate_limiter import Budget, Limit
from tasks.failures import Failure
from tasks.okta.needs import needed
from tasks.resource import Tenant

GONE: Final = "E0000007"  # resource not found
RESERVE: Final = 0.1  # of each limit: what signs people in has the same one, and comes first
CONCURRENCY_SECONDS: Final = 1.0  # too many at a time is said without a time: it is over soon

NO_PERMISSION: Final = "E0000006"
LONGEST_WINDOW_SECONDS: Final = 3600  # limits are by the minute, a few by the hour: what says more is no such time

_WHY: Final = {
    "E0000004": "the token is not valid",  # authentication failed
    "E0000005": "the token is not valid",  # no session
    "E0000011": "the token is not valid: it was revoked, has expired (30 days unused), or is another organization's",
    "E0000015": "the organization doesn't have this feature, or the token's owner may not use it",
}
_DENIED: Final = {NO_PERMISSION, *_WHY}
_NOT_FOUND: Final = re.compile(r"not found: (\S+) \(\w+\)", re.IGNORECASE)
_LIMIT: Final = Limit(initial=5, highest=30)


def bucket(action: str) -> tuple[str, Limit]:
    """Okta counts lists, and what has an id, apart: `users`, `users/id`, `groups`, ..."""
    words = action.partition("/api/v1/")[2].split("/")
    return f"{words[0]}/id" if len(words) > 1 else words[0], _LIMIT


def further(answer: Answer) -> Further:
    """By the header Link; lists of role assignments say it in the body."""
    link = answer.links.get("next", at("_links.next.href", answer.body))
    return link if link is None or isinstance(link, str) else ""  # leads nowhere: not the same as no further page


def refusal(answer: Answer) -> Refusal | None:
    found = by_status(answer)
    if found is None:
        return None
    told = answer.body.get("errorCode") if isinstance(answer.body, Mapping) else None
    code = told if isinstance(told, str) else found.code
    if answer.status == 429:
        wait = CONCURRENCY_SECONDS if _number(answer, "x-rate-limit-limit") == 0 else _until_reset(answer)
        wait = found.retry_after_seconds if wait is None else wait
        return Refusal(Failure.THROTTLED, code, message_of(answer), wait)
    return Refusal(_failure(code, answer, found), code, found.reason, found.retry_after_seconds)


def _failure(code: str, answer: Answer, found: Refusal) -> Failure:
    """The class of a refusal. What isn't found is gone only where it is what was asked for: `Resource not found: 00u1
    (User)` to a call for the factors of that user. Else something that the item doesn't have isn't there.
    """
    if code in _DENIED:
        return Failure.DENIED
    if code == GONE:
        named = _NOT_FOUND.search(found.reason)
        return Failure.GONE if named is None or named[1] in answer.path.split("/") else Failure.OTHER
    return found.failure


def lacking(action: str, refused: Refusal) -> str:
    return needed(action) if refused.code == NO_PERMISSION else _WHY.get(refused.code, "")


def exhausted(answer: Answer) -> float:
    """Seconds until the limit is new, once only the reserve of it is left."""
    limit, remaining = _number(answer, "x-rate-limit-limit"), _number(answer, "x-rate-limit-remaining")
    if limit is None or remaining is None or remaining > limit * RESERVE:
        return 0.0
    return _until_reset(answer) or 0.0


def _until_reset(answer: Answer) -> float | None:
    reset = _number(answer, "x-rate-limit-reset", max)
    seconds = None if reset is None else seconds_until(answer, reset)
    return None if seconds is None or seconds > LONGEST_WINDOW_SECONDS else seconds


def _number(answer: Answer, header: str, chosen: Callable[[list[int]], int] = min) -> int | None:
    """Of a header that comes more than once, `600, 600`, the number that asks for more patience."""
    numbers = [int(word) for word in answer.headers.get(header, "").replace(",", " ").split() if word.isdecimal()]
    return chosen(numbers) if numbers else None


SERVICE: Final = HttpService(
    limit=bucket,
    in_flight=10,
    further=further,
    refusal=refusal,
    exhausted=exhausted,
    needs=lacking,
    items_at="",
    but_at={"GET /api/v1/org": None, "GET /api/v1/iam/assignees/users": "value"},
    thing_has="id",
    any_host="/api/v1/",  # who asks at example-admin.okta.com, or at a custom domain, is sent to example.okta.com
)


async def connect(tenant: Tenant, region: str, budget: Budget) -> HttpApi:
    def headers() -> Mapping[str, Any]:
        return {"Authorization": f"SSWS {variables.held_by(tenant.access['api_key_variable'])}"}

    url = tenant.access["base_url"]
    return HttpApi(tenant=tenant, terms=SERVICE, budget=budget, base_url=url, headers=headers)
