"""Errors of Google's older and newer APIs: their class, their code and their message."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tasks.clients.api_client import Response
from tasks.clients.client import ErrorResponse
from tasks.failures import Failure
from tasks.waits import retry_after

_THROTTLED: Final = {"rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "RESOURCE_EXHAUSTED"}
_UNTIL_TOMORROW: Final = {"dailyLimitExceeded"}
_NOT_ENABLED: Final = {"accessNotConfigured", "SERVICE_DISABLED"}
WITHOUT_SCOPE: Final = {"ACCESS_TOKEN_SCOPE_INSUFFICIENT", "insufficientPermissions", "insufficient_scope"}
MAX_REASON: Final = 200  # characters


def classify_google_error(response: Response) -> ErrorResponse | None:
    """The error that a response reports; None for a good response."""
    status = response.status
    if 200 <= status < 300:
        return None
    body: Mapping[str, Any] = response.body if isinstance(response.body, Mapping) else {}
    reported = body.get("error")
    error: Mapping[str, Any] = reported if isinstance(reported, Mapping) else {}
    reasons = list(_reasons(error))
    code = next(iter(reasons), None) or error.get("status") or str(status)
    if 'error="insufficient_scope"' in response.headers.get("www-authenticate", "") and code not in WITHOUT_SCOPE:
        code = "insufficient_scope"
    message = str(error.get("message") or f"status {status}")[:MAX_REASON]
    return ErrorResponse(_failure(status, {*reasons, error.get("status")}), code, message, retry_after(response))


def _failure(status: int, codes: set[str | None]) -> Failure:
    if status == 429 or codes & _THROTTLED:
        return Failure.THROTTLED
    if codes & _UNTIL_TOMORROW:
        return Failure.UNEXPECTED
    if codes & _NOT_ENABLED:
        return Failure.NOT_ENABLED
    if status in (401, 403):
        return Failure.DENIED
    if status in (404, 410):
        return Failure.NOT_FOUND
    return Failure.TRANSIENT if status >= 500 or status == 408 else Failure.UNEXPECTED


def _reasons(error: Mapping[str, Any]) -> Iterator[str]:
    for detail in _objects(error.get("details")):
        if str(detail.get("@type", "")).endswith("google.rpc.ErrorInfo") and detail.get("reason"):
            yield str(detail["reason"])
    for inner in _objects(error.get("errors")):
        if inner.get("reason"):
            yield str(inner["reason"])


def _objects(values: Any) -> list[Mapping[str, Any]]:
    return [value for value in values if isinstance(value, Mapping)] if isinstance(values, list) else []
