"""Why Google refuses a call, in its own words, as its older and its newer APIs say them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tasks.clients.api_client import Response
from tasks.clients.client import ErrorResponse
from tasks.clients.http import retry_after
from tasks.failures import Failure

_THROTTLED: Final = {"rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "RESOURCE_EXHAUSTED"}
_UNTIL_TOMORROW: Final = {"dailyLimitExceeded"}
_NOT_ENABLED: Final = {"accessNotConfigured", "SERVICE_DISABLED"}
WITHOUT_SCOPE: Final = {"ACCESS_TOKEN_SCOPE_INSUFFICIENT", "insufficientPermissions", "insufficient_scope"}
LONGEST_REASON: Final = 200


def refusal(response: Response) -> ErrorResponse | None:
    """Google's own words for it, as its older and its newer APIs say them."""
    status = response.status
    if 200 <= status < 300:
        return None
    said = response.body.get("error") if isinstance(response.body, Mapping) else None
    error: Mapping[str, Any] = said if isinstance(said, Mapping) else {}
    reasons = list(_reasons(error))
    words = {*reasons, error.get("status")}
    if status == 429 or words & _THROTTLED:
        failure = Failure.THROTTLED
    elif words & _UNTIL_TOMORROW:
        failure = Failure.UNEXPECTED
    elif words & _NOT_ENABLED:
        failure = Failure.NOT_ENABLED
    elif status in (401, 403):
        failure = Failure.DENIED
    elif status in (404, 410):
        failure = Failure.NOT_FOUND
    else:
        failure = Failure.TRANSIENT if status >= 500 or status == 408 else Failure.UNEXPECTED
    code = next(iter(reasons), None) or error.get("status") or str(status)
    if 'error="insufficient_scope"' in response.headers.get("www-authenticate", "") and code not in WITHOUT_SCOPE:
        code = "insufficient_scope"
    reason = str(error.get("message") or f"answered {status}")[:LONGEST_REASON]
    return ErrorResponse(failure, code, reason, retry_after(response))


def _reasons(error: Mapping[str, Any]) -> Iterator[str]:
    for detail in _objects(error.get("details")):
        if str(detail.get("@type", "")).endswith("google.rpc.ErrorInfo") and detail.get("reason"):
            yield str(detail["reason"])
    for one in _objects(error.get("errors")):
        if one.get("reason"):
            yield str(one["reason"])


def _objects(found: Any) -> list[Mapping[str, Any]]:
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []
