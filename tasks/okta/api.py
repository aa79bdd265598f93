"""Okta's API: pages by the header Link, rate limits of each group of endpoints, and a limit of calls at a time."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from loaders.model import at
from tasks.clients.api_client import Response
from tasks.clients.client import ErrorResponse
from tasks.clients.http import HttpApi, HttpService
from tasks.clients.http_errors import by_status, message_of, seconds_until
from tasks.clients.paginators import NextPage
from tasks.clients.rate_limiter import RateLimit, RateLimiter
from tasks.clients.variables import read_variable
from tasks.failures import Failure
from tasks.okta.access import OktaAccess
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
_LIMIT: Final = RateLimit(initial=5, maximum=30)


def bucket(action: str) -> tuple[str, RateLimit]:
    """Okta counts lists, and what has an id, apart: `users`, `users/id`, `groups`, ..."""
    words = action.partition("/api/v1/")[2].split("/")
    return f"{words[0]}/id" if len(words) > 1 else words[0], _LIMIT


def further(response: Response) -> NextPage:
    """By the header Link; lists of role assignments say it in the body."""
    link = response.links.get("next", at("_links.next.href", response.body))
    return link if link is None or isinstance(link, str) else ""  # leads nowhere: not the same as no further page


def refusal(response: Response) -> ErrorResponse | None:
    found = by_status(response)
    if found is None:
        return None
    told = response.body.get("errorCode") if isinstance(response.body, Mapping) else None
    code = told if isinstance(told, str) else found.code
    if response.status == 429:
        wait = CONCURRENCY_SECONDS if _number(response, "x-rate-limit-limit") == 0 else _until_reset(response)
        wait = found.retry_after_seconds if wait is None else wait
        return ErrorResponse(Failure.THROTTLED, code, message_of(response), wait)
    return ErrorResponse(_failure(code, response, found), code, found.reason, found.retry_after_seconds)


def _failure(code: str, response: Response, found: ErrorResponse) -> Failure:
    """The class of a refusal. What isn't found is gone only where it is what was asked for: `Resource not found: 00u1
    (User)` to a call for the factors of that user. Else something that the item doesn't have isn't there.
    """
    if code in _DENIED:
        return Failure.DENIED
    if code == GONE:
        named = _NOT_FOUND.search(found.reason)
        return Failure.NOT_FOUND if named is None or named[1] in response.path.split("/") else Failure.UNEXPECTED
    return found.failure


def lacking(action: str, refused: ErrorResponse) -> str:
    return needed(action) if refused.code == NO_PERMISSION else _WHY.get(refused.code, "")


def exhausted(response: Response) -> float:
    """Seconds until the limit is new, once only the reserve of it is left."""
    limit, remaining = _number(response, "x-rate-limit-limit"), _number(response, "x-rate-limit-remaining")
    if limit is None or remaining is None or remaining > limit * RESERVE:
        return 0.0
    return _until_reset(response) or 0.0


def _until_reset(response: Response) -> float | None:
    reset = _number(response, "x-rate-limit-reset", max)
    seconds = None if reset is None else seconds_until(response, reset)
    return None if seconds is None or seconds > LONGEST_WINDOW_SECONDS else seconds


def _number(response: Response, header: str, chosen: Callable[[list[int]], int] = min) -> int | None:
    """Of a header that comes more than once, `600, 600`, the number that asks for more patience."""
    numbers = [int(word) for word in response.headers.get(header, "").replace(",", " ").split() if word.isdecimal()]
    return chosen(numbers) if numbers else None


SERVICE: Final = HttpService(
    limit=bucket,
    in_flight=10,
    paginator=further,
    classify_error=refusal,
    exhausted=exhausted,
    needs=lacking,
    items_path="",
    items_path_overrides={"GET /api/v1/org": None, "GET /api/v1/iam/assignees/users": "value"},
    required_field="id",
    any_host="/api/v1/",  # who asks at example-admin.okta.com, or at a custom domain, is sent to example.okta.com
)


async def connect(tenant: Tenant, region: str, rate_limiter: RateLimiter) -> HttpApi:
    access = OktaAccess.from_json(tenant.access)

    def headers() -> Mapping[str, str]:
        return {"Authorization": f"SSWS {read_variable(access.api_key_variable)}"}

    return HttpApi(tenant=tenant, policy=SERVICE, rate_limiter=rate_limiter, base_url=access.base_url, headers=headers)
