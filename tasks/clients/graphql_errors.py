"""The errors of a GraphQL response: of which class each is, and which part of the data it concerns.

GraphQL answers with status 200 whatever went wrong, and says it in `errors`. How much an error concerns, its `path`
says; what it means, a word under `type`, `code` or `extensions.code`. GitHub leaves the word out where a token lacks a
scope and where a query took too long: these two are told by their text, and only here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from tasks.clients.api_client import Response
from tasks.clients.client import ErrorResponse
from tasks.clients.http import by_status
from tasks.failures import CallFailed, Failure

_CLASSES: Final[Mapping[str, Failure]] = {
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
# More than the server computes for one query: it may respond for fewer things at a time.
TOO_LARGE: Final = frozenset({"MAX_NODE_LIMIT_EXCEEDED", "RESOURCE_LIMITS_EXCEEDED"})
SCOPES: Final = "INSUFFICIENT_SCOPES"
LIMITED: Final = "RATE_LIMITED"

_LONGEST_REASON: Final = 200
_GAVE_UP: Final = re.compile(r"something went wrong|timed ?out|timeout|^loading", re.IGNORECASE)
_RATE: Final = re.compile(r"\brate limit", re.IGNORECASE)
_NEEDED: Final = re.compile(r"'(\w+)' field requires one of the following scopes: \[([^\]]*)\]")
_SAID: Final = re.compile(r"(\w+) needs ")
# What an owner of the organization decided, and the way out. By a part of the message: the word is FORBIDDEN for all.
_POLICIES: Final[Mapping[str, str]] = {
    "SAML": "authorize the token for the organization's SAML single sign-on",
    "IP allow list": "this address isn't on the organization's IP allow list",
    "OAuth App access restrictions": "the organization doesn't let this OAuth app in",
    "personal access token (classic)": "the organization lets no classic token in",
    "token's lifetime": "the token lives longer than the organization allows",
}

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class PartError:
    """An error of one part of the data. `path`: from the root of the data, or of the part that was looked at."""

    path: Path
    refusal: ErrorResponse

    @property
    def is_passing(self) -> bool:
        return self.refusal.failure is Failure.TRANSIENT

    @property
    def is_too_large(self) -> bool:
        return self.refusal.code in TOO_LARGE

    def failed(self, action: str) -> CallFailed:
        return CallFailed(self.refusal.failure, action, self.refusal.reason, code=self.refusal.code)


def part_errors(body: Mapping[str, Any]) -> tuple[PartError, ...]:
    return tuple(PartError(_path(error), classified(error)) for error in _errors(body))


def below(errors: Sequence[PartError], *path: str | int) -> tuple[PartError, ...]:
    """The errors of what lies at a path, each with the rest of its own."""
    size = len(path)
    return tuple(PartError(error.path[size:], error.refusal) for error in errors if error.path[:size] == path)


def refusal(response: Response) -> ErrorResponse | None:
    """A response with errors and nothing else is refused, whatever its status; one with data is for whoever asked."""
    if found := by_status(response):
        return replace(found, code=_policy_code(found.code, found.reason, {}))
    body: Mapping[str, Any] = response.body if isinstance(response.body, Mapping) else {}
    errors = list(_errors(body))
    classes = [classified(error) for error in errors]
    if limited := next((one for one in classes if one.failure is Failure.THROTTLED), None):
        return limited
    data = body.get("data")
    if not errors:
        return (
            None
            if isinstance(data, Mapping)
            else ErrorResponse(Failure.INVALID_RESPONSE, "", "the response has no data")
        )
    if scopes := _lacking(errors, classes):
        return scopes
    whole = [one for error, one in zip(errors, classes, strict=True) if len(_path(error)) < 2]
    if whole or not data:
        return (whole or classes)[0]
    return None if isinstance(data, Mapping) else ErrorResponse(Failure.INVALID_RESPONSE, "", "the data are no object")


def classified(error: Mapping[str, Any]) -> ErrorResponse:
    """The class of one error, by its word; without a known one by what else it has.

    What names a place of the query and none of the data was refused before it was executed: it is so always.
    """
    message = str(error.get("message") or "answered with an error")
    extensions = error.get("extensions")
    extensions = extensions if isinstance(extensions, Mapping) else {}
    words = [str(word) for word in (error.get("type"), error.get("code"), extensions.get("code")) if word]
    reason = message[:_LONGEST_REASON]
    if SCOPES in words or _NEEDED.search(message):
        return ErrorResponse(Failure.DENIED, _scopes_code(message), reason)
    if known := next((word for word in words if word.upper() in _CLASSES), None):
        failure = _CLASSES[known.upper()]
        code = _policy_code(known, message, extensions) if failure is Failure.DENIED else known
        return ErrorResponse(failure, LIMITED if failure is Failure.THROTTLED else code, reason)
    if words:
        return ErrorResponse(Failure.UNEXPECTED, words[0], reason)
    if _RATE.search(message):
        return ErrorResponse(Failure.THROTTLED, LIMITED, reason)
    if _GAVE_UP.search(message) or error.get("path") or "locations" not in error:
        return ErrorResponse(Failure.TRANSIENT, "", reason)
    return ErrorResponse(Failure.UNEXPECTED, "", reason)


def fields_without_scope(error: CallFailed) -> frozenset[str]:
    """The fields that were refused because the token lacks a scope. Empty where that isn't what failed."""
    return frozenset(_SAID.findall(error.code)) if error.code.startswith(SCOPES) else frozenset()


def _errors(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    found = body.get("errors")
    if found is None or found == []:
        return
    for error in found if isinstance(found, list) else [found]:
        yield error if isinstance(error, Mapping) else {"message": str(error)}


def _path(error: Mapping[str, Any]) -> Path:
    """Of the data. A validation error has one of the query instead, which begins with the operation."""
    path = error.get("path")
    if not isinstance(path, list) or not path or str(path[0]).partition(" ")[0] in ("query", "mutation", "fragment"):
        return ()
    return tuple(step if isinstance(step, int) else str(step) for step in path)


def _lacking(errors: Sequence[Mapping[str, Any]], classes: Sequence[ErrorResponse]) -> ErrorResponse | None:
    """All scopes that the token lacks, where the whole query was refused for that."""
    lacking = [one for error, one in zip(errors, classes, strict=True) if _is_of_scopes(one) and not _path(error)]
    if not lacking:
        return None
    needed = dict.fromkeys(_inner(one.code) for one in lacking)
    return ErrorResponse(Failure.DENIED, f"{SCOPES} ({', '.join(filter(None, needed))})", lacking[0].reason)


def _is_of_scopes(one: ErrorResponse) -> bool:
    return one.code.startswith(SCOPES)


def _inner(code: str) -> str:
    return code.removeprefix(SCOPES).strip(" ()")


def _scopes_code(message: str) -> str:
    """`INSUFFICIENT_SCOPES (email needs user:email or read:user)`"""
    needed = {field: scopes.replace("'", "").replace(", ", " or ") for field, scopes in _NEEDED.findall(message)}
    told = ", ".join(f"{field} needs {scopes}" for field, scopes in needed.items())
    return f"{SCOPES} ({told})" if told else SCOPES


def _policy_code(word: str, message: str, extensions: Mapping[str, Any]) -> str:
    """`FORBIDDEN (authorize the token for ...)`"""
    if extensions.get("saml_failure") is True:
        return f"{word} ({_POLICIES['SAML']})"
    found = next((told for part, told in _POLICIES.items() if part in message), None)
    return f"{word} ({found})" if found else word
