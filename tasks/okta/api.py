"""Okta's API: pages by the Link header, a rate limit per group of endpoints, few concurrent calls."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from tasks.okta.access import OktaAccess
from tasks.okta.needs import needed
from tasks.provider import (
    ErrorResponse,
    Failure,
    HttpApi,
    HttpService,
    NextPage,
    RateLimit,
    RateLimiter,
    Response,
    Tenant,
    at,
    by_status,
    message_of,
    read_variable,
    seconds_until,
)
from tasks.waits import believed, number_of

GONE: Final = "E0000007"  # resource not found
RESERVE: Final = 0.1  # of each limit is left to sign-ins, which count against the same one
CONCURRENCY_SECONDS: Final = 1.0  # too many concurrent calls: Okta gives no time, and it is over soon

NO_PERMISSION: Final = "E0000006"

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
    """Okta has separate limits for lists and for objects by id: `users`, `users/id`, `groups`, ..."""
    words = action.partition("/api/v1/")[2].split("/")
    return f"{words[0]}/id" if len(words) > 1 else words[0], _LIMIT


def next_page(response: Response) -> NextPage:
    """From the Link header, or from the body for lists of role assignments."""
    link = response.links.get("next", at("_links.next.href", response.body))
    return link if link is None or isinstance(link, str) else ""  # an invalid link: not the same as no further page


def classify_error(response: Response) -> ErrorResponse | None:
    error = by_status(response)
    if error is None:
        return None
    reported = response.body.get("errorCode") if isinstance(response.body, Mapping) else None
    code = reported if isinstance(reported, str) else error.code
    if response.status == 429:
        wait = CONCURRENCY_SECONDS if _number(response, "x-rate-limit-limit") == 0 else _until_reset(response)
        wait = error.retry_after_seconds if wait is None else wait
        return ErrorResponse(Failure.THROTTLED, code, message_of(response), wait)
    return ErrorResponse(_failure(code, response, error), code, error.reason, error.retry_after_seconds)


def _failure(code: str, response: Response, error: ErrorResponse) -> Failure:
    """The class of an error. An item that isn't found is gone only if the message names it: `Resource not found: 00u1
    (User)` to a call for the factors of that user. Otherwise the item has no such detail.
    """
    if code in _DENIED:
        return Failure.DENIED
    if code == GONE:
        named = _NOT_FOUND.search(error.reason)
        return Failure.NOT_FOUND if named is None or named[1] in response.path.split("/") else Failure.UNEXPECTED
    return error.failure


def missing_permission(action: str, error: ErrorResponse) -> str:
    return needed(action) if error.code == NO_PERMISSION else _WHY.get(error.code, "")


def exhausted(response: Response) -> float:
    """Seconds until the limit resets, if only the reserve is left."""
    limit, remaining = _number(response, "x-rate-limit-limit"), _number(response, "x-rate-limit-remaining")
    if limit is None or remaining is None or remaining > limit * RESERVE:
        return 0.0
    return _until_reset(response) or 0.0


def _until_reset(response: Response) -> float | None:
    reset = _number(response, "x-rate-limit-reset", max)
    return None if reset is None else believed(seconds_until(response, reset))


def _number(response: Response, header: str, chosen: Callable[[list[int]], int] = min) -> int | None:
    """Of a header that comes more than once (`600, 600`) the number that means a longer wait."""
    numbers = map(number_of, response.headers.get(header, "").replace(",", " ").split())
    known = [number for number in numbers if number is not None]
    return chosen(known) if known else None


SERVICE: Final = HttpService(
    limit=bucket,
    in_flight=10,
    paginator=next_page,
    classify_error=classify_error,
    exhausted=exhausted,
    needs=missing_permission,
    items_path="",
    items_path_overrides={"GET /api/v1/org": None, "GET /api/v1/iam/assignees/users": "value"},
    required_field="id",
    any_host="/api/v1/",  # links from example-admin.okta.com or a custom domain lead to example.okta.com
)


async def connect(tenant: Tenant, region: str, rate_limiter: RateLimiter) -> HttpApi:
    access = OktaAccess.from_json(tenant.access)

    def headers() -> Mapping[str, str]:
        return {"Authorization": f"SSWS {read_variable(access.api_key_variable)}"}

    return HttpApi(tenant=tenant, policy=SERVICE, rate_limiter=rate_limiter, base_url=access.base_url, headers=headers)
