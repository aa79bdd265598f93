"""The errors of a GraphQL response: the class of each, and which part of the data it concerns.

GraphQL returns status 200 whatever went wrong, and lists `errors`. The `path` of an error says what it concerns; a code
in `type`, `code` or `extensions.code` says what it means. GitHub omits the code where a token lacks a scope and where a
query took too long: these two are recognized by their text, and only here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from tasks.clients.api_client import Response
from tasks.clients.client import ErrorResponse
from tasks.clients.http_errors import by_status
from tasks.failures import CallFailed, Failure

_FAILURES: Final[Mapping[str, Failure]] = {
    "NOT_FOUND": Failure.NOT_FOUND,
    "FORBIDDEN": Failure.DENIED,
    "INSUFFICIENT_SCOPES": Failure.DENIED,
    "UNAUTHENTICATED": Failure.DENIED,
    "UNAUTHORIZED": Failure.DENIED,
    "RATE_LIMITED": Failure.THROTTLED,
    "RATE_LIMIT": Failure.THROTTLED,
    "GRAPHQL_RATE_LIMIT": Failure.THROTTLED,
    "INTERNAL": Failure.TRANSIENT,
    "INTERNAL_ERROR": Failure.TRANSIENT,
    "INTERNAL_SERVER_ERROR": Failure.TRANSIENT,
    "LOADING": Failure.TRANSIENT,
    "SERVICE_UNAVAILABLE": Failure.TRANSIENT,
    "TIMEDOUT": Failure.TRANSIENT,
    "TIMEOUT": Failure.TRANSIENT,
}
# The query asks for more than the server computes: it may succeed for fewer objects.
TOO_LARGE: Final = frozenset({"MAX_NODE_LIMIT_EXCEEDED", "RESOURCE_LIMITS_EXCEEDED"})
SCOPES: Final = "INSUFFICIENT_SCOPES"
LIMITED: Final = "RATE_LIMITED"

_MAX_REASON: Final = 200  # characters
_MAX_MESSAGE: Final = 10_000  # characters that are looked at: the time to search grows with their square
_GAVE_UP: Final = re.compile(r"something went wrong|timed ?out|timeout|^loading", re.IGNORECASE)
_RATE: Final = re.compile(r"\brate limit", re.IGNORECASE)
_NEEDED: Final = re.compile(r"'(\w+)' field requires one of the following scopes: \[([^\]]*)\]")
_FIELD_OF_CODE: Final = re.compile(r"(\w+) needs ")
# Policies of an organization's owner: what to do or to know, by a part of the message. The code is always FORBIDDEN.
_POLICIES: Final[Mapping[str, str]] = {
    "SAML": "authorize the token for the organization's SAML single sign-on",
    "IP allow list": "this address isn't on the organization's IP allow list",
    "OAuth App access restrictions": "the organization hasn't approved this OAuth app",
    "personal access token (classic)": "the organization doesn't allow classic tokens",
    "token's lifetime": "the token's lifetime exceeds the organization's maximum",
}

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class PathError:
    """An error at a path of the data. `path`: from the root of the data, or from the object at hand."""

    path: Path
    error: ErrorResponse

    @property
    def is_transient(self) -> bool:
        return self.error.failure is Failure.TRANSIENT

    @property
    def is_too_large(self) -> bool:
        return self.error.code in TOO_LARGE

    def as_call_failed(self, action: str) -> CallFailed:
        return CallFailed(self.error.failure, action, self.error.reason, code=self.error.code)


def errors_of(body: Mapping[str, Any]) -> tuple[PathError, ...]:
    return tuple(PathError(_path(error), classify(error)) for error in _errors(body))


def errors_below(errors: Sequence[PathError], *path: str | int) -> tuple[PathError, ...]:
    """The errors of what lies at a path, each with the rest of its own path."""
    size = len(path)
    return tuple(PathError(error.path[size:], error.error) for error in errors if error.path[:size] == path)


def classify_graphql_error(response: Response) -> ErrorResponse | None:
    """The error of a response that has errors and no data, whatever its status; None if there are data to use."""
    if error := by_status(response):
        return replace(error, code=_policy_code(error.code, error.reason, {}))
    body: Mapping[str, Any] = response.body if isinstance(response.body, Mapping) else {}
    errors = list(_errors(body))
    classified = [classify(error) for error in errors]
    if throttled := next((error for error in classified if error.failure is Failure.THROTTLED), None):
        return throttled
    data = body.get("data")
    if errors:
        if missing := _missing_scopes(errors, classified):
            return missing
        of_query = [known for error, known in zip(errors, classified, strict=True) if len(_path(error)) < 2]
        if of_query or not data:
            return (of_query or classified)[0]
    if isinstance(data, Mapping):
        return None
    reason = "the data are not an object" if data else "the response has no data"
    return ErrorResponse(Failure.INVALID_RESPONSE, "", reason)


def classify(error: Mapping[str, Any]) -> ErrorResponse:
    """The class of one error, by its code; without a known code, by what else it has.

    An error with a place in the query and none in the data was found before the query was executed: it will recur.
    """
    message = str(error.get("message") or "an error without a message")[:_MAX_MESSAGE]
    extensions = error.get("extensions")
    extensions = extensions if isinstance(extensions, Mapping) else {}
    codes = [str(code) for code in (error.get("type"), error.get("code"), extensions.get("code")) if code]
    reason = message[:_MAX_REASON]
    if SCOPES in codes or _NEEDED.search(message):
        return ErrorResponse(Failure.DENIED, _scopes_code(message), reason)
    if known := next((code for code in codes if code.upper() in _FAILURES), None):
        failure = _FAILURES[known.upper()]
        code = _policy_code(known, message, extensions) if failure is Failure.DENIED else known
        return ErrorResponse(failure, LIMITED if failure is Failure.THROTTLED else code, reason)
    if codes:
        return ErrorResponse(Failure.UNEXPECTED, codes[0], reason)
    if _RATE.search(message):
        return ErrorResponse(Failure.THROTTLED, LIMITED, reason)
    if _GAVE_UP.search(message) or error.get("path") or "locations" not in error:
        return ErrorResponse(Failure.TRANSIENT, "", reason)
    return ErrorResponse(Failure.UNEXPECTED, "", reason)


def fields_without_scope(error: CallFailed) -> frozenset[str]:
    """The fields that were denied because the token lacks a scope; empty if the error is another one."""
    return frozenset(_FIELD_OF_CODE.findall(error.code)) if error.code.startswith(SCOPES) else frozenset()


def _errors(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    errors = body.get("errors")
    if errors is None or errors == []:
        return
    for error in errors if isinstance(errors, list) else [errors]:
        yield error if isinstance(error, Mapping) else {"message": str(error)}


def _path(error: Mapping[str, Any]) -> Path:
    """The path in the data. A validation error has one in the query instead, which begins with the operation."""
    path = error.get("path")
    if not isinstance(path, list) or not path or str(path[0]).partition(" ")[0] in ("query", "mutation", "fragment"):
        return ()
    return tuple(step if isinstance(step, int) else str(step) for step in path)


def _missing_scopes(errors: Sequence[Mapping[str, Any]], classified: Sequence[ErrorResponse]) -> ErrorResponse | None:
    """All scopes that the token lacks, if the whole query was denied for that reason."""
    lacking = [
        known
        for error, known in zip(errors, classified, strict=True)
        if known.code.startswith(SCOPES) and not _path(error)
    ]
    if not lacking:
        return None
    fields = dict.fromkeys(known.code.removeprefix(SCOPES).strip(" ()") for known in lacking)
    return ErrorResponse(Failure.DENIED, f"{SCOPES} ({', '.join(filter(None, fields))})", lacking[0].reason)


def _scopes_code(message: str) -> str:
    """`INSUFFICIENT_SCOPES (email needs user:email or read:user)`"""
    scopes_by_field = {name: scopes.replace("'", "").replace(", ", " or ") for name, scopes in _NEEDED.findall(message)}
    fields = ", ".join(f"{name} needs {scopes}" for name, scopes in scopes_by_field.items())
    return f"{SCOPES} ({fields})" if fields else SCOPES


def _policy_code(code: str, message: str, extensions: Mapping[str, Any]) -> str:
    """`FORBIDDEN (authorize the token for ...)`"""
    if extensions.get("saml_failure") is True:
        return f"{code} ({_POLICIES['SAML']})"
    policy = next((policy for words, policy in _POLICIES.items() if words in message), None)
    return f"{code} ({policy})" if policy else code
