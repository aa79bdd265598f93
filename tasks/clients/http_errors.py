"""Errors of JSON APIs over HTTP: their class by status, their message, and how long to wait."""

from __future__ import annotations

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

from tasks.clients.api_client import Response
from tasks.clients.client import ErrorResponse
from tasks.failures import Failure

_MAX_REASON: Final = 200  # characters
_FAILURES: Final[Mapping[int, Failure]] = {
    401: Failure.DENIED,
    403: Failure.DENIED,
    404: Failure.NOT_FOUND,
    408: Failure.TRANSIENT,
    410: Failure.NOT_FOUND,
    429: Failure.THROTTLED,
}


def by_status(response: Response) -> ErrorResponse | None:
    """The error that a response reports by its status, with the API's own message; None for a good response."""
    status = response.status
    if 200 <= status < 300:
        return None
    failure = _FAILURES.get(status, Failure.TRANSIENT if status >= 500 else Failure.UNEXPECTED)
    return ErrorResponse(failure, str(status), message_of(response), retry_after(response))


def message_of(response: Response) -> str:
    """The API's error message, if it has one of the usual names, shortened."""
    if 300 <= response.status < 400:
        return f"redirects to {urlsplit(response.headers.get('location', '')).hostname}"
    body: Mapping[str, object] = response.body if isinstance(response.body, Mapping) else {}
    for name in ("message", "errorSummary", "error"):
        if (message := body.get(name)) and isinstance(message, str):
            return message[:_MAX_REASON]
    return f"status {response.status}"


def retry_after(response: Response) -> float | None:
    """Seconds of the Retry-After header, which may be a date."""
    value = response.headers.get("retry-after", "")
    if value.isdigit():
        return float(value)
    try:
        until, now = (parsedate_to_datetime(response.headers[name]).timestamp() for name in ("retry-after", "date"))
    except (KeyError, ValueError):
        return None
    return max(0.0, until - now)


def seconds_until(response: Response, moment: float) -> float:
    """Seconds until a Unix time, at least one. By the server's clock: this machine's may be wrong."""
    try:
        now = parsedate_to_datetime(response.headers["date"]).timestamp()
    except (KeyError, ValueError):
        now = time.time()
    return max(1.0, moment - now)
