"""Errors of JSON APIs over HTTP: their class by status, and their message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from tasks.clients.api_client import Response
from tasks.clients.client import ErrorResponse
from tasks.failures import Failure
from tasks.waits import retry_after

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
