"""Whether a response is what a Google API returns for an action, and complete: by its discovery document.

A proxy can return `{}` with status 200 as well, so `{}` alone doesn't mean "none". A response is a list if its `kind`
says so, or if it has the list and no field that the document doesn't know. Only where the document knows no `kind` is
`{}` how Google says that there are none, and is taken for that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tasks.clients.google_documents import INCOMPLETE, lists_of, map_of, response_of, schema_of

# Codes of warnings in the discovery documents that don't mean that items are missing.
HARMLESS: Final = {
    "DEPRECATED_RESOURCE_USED",
    "DEPRECATED_TYPE_USED",
    "EXPERIMENTAL_TYPE_USED",
    "NO_RESULTS_ON_PAGE",
}
_MAX_NAMED: Final = 10


def problem_with(action: str, body: Any) -> str | None:
    """Why it isn't a response to this action; None if it is."""
    if not isinstance(body, dict):
        return "the response is not an object"
    by_place = map_of(action)
    if problem := _list_problem(lists_of(action), body) or _map_problem(action, by_place, body):
        return problem
    if not isinstance(body.get("nextPageToken"), str | None):
        return "nextPageToken is not text"
    kind = _kind(action)
    if kind and "kind" in body:
        return None if body["kind"] == kind else f"its kind is {str(body['kind'])[:80]!r}, expected {kind!r}"
    lists = (*lists_of(action), *((by_place,) if by_place else ()))
    if any(name in body for name in lists):
        return None
    if kind:
        return f"it has neither a kind{''.join(f' nor {name}' for name in lists)}"
    if not lists:  # one object: Google may add fields, so any known one will do
        return None if body.keys() & response_of(action).keys() else "it has none of the fields of such a response"
    unknown = _unknown_fields(action, body)
    return f"it has fields that no such response has: {', '.join(unknown[:_MAX_NAMED])}" if unknown else None


def missing_from(action: str, body: Mapping[str, Any]) -> Iterator[str]:
    """What a response says is missing from it: places that Google couldn't reach, warnings that aren't harmless."""
    by_place = map_of(action)
    if not lists_of(action) and not by_place:
        return
    yield from _missing(action, body)
    if "kind" not in body:  # nobody knows what an unknown field means
        yield from (f"it has a field {name}" for name in _unknown_fields(action, body) if body.get(name))
    for place, items in body.get(by_place, {}).items() if by_place else ():
        yield from (f"{place} ({name})" for name in _missing(action, items))


def _kind(action: str) -> str | None:
    """The `kind` of every response of the method."""
    kind: str | None = response_of(action).get("kind", {}).get("default")
    return kind


def _unknown_fields(action: str, body: Mapping[str, Any]) -> list[str]:
    return sorted(str(name)[:40] for name in body.keys() - response_of(action).keys())


def _list_problem(lists: tuple[str, ...], body: Mapping[str, Any]) -> str | None:
    wrong = [name for name in lists if name in body and not isinstance(body[name], list)]
    return f"{wrong[0]} is not a list" if wrong else None


def _map_problem(action: str, by_place: str | None, body: Mapping[str, Any]) -> str | None:
    if by_place is None or by_place not in body:
        return None
    if not isinstance(body[by_place], dict):
        return f"{by_place} is not an object"
    lists = _lists_of_a_place(action, by_place)
    for place, items in body[by_place].items():
        if not isinstance(items, dict):
            return f"{by_place} of {place!r:.80} is not an object"
        if problem := _list_problem(lists, items):
            return f"{by_place} of {place!r:.80}: {problem}"
    return None


def _lists_of_a_place(action: str, by_place: str) -> tuple[str, ...]:
    fields = schema_of(action, response_of(action)[by_place]["additionalProperties"])["properties"]
    return tuple(name for name, of in fields.items() if of.get("type") == "array" and "$ref" in of["items"])


def _missing(action: str, fields: Mapping[str, Any]) -> Iterator[str]:
    items = {*lists_of(action), map_of(action)}
    for name, value in fields.items():
        if name in items or not INCOMPLETE.search(name) or not value:
            continue
        for place in value if isinstance(value, list) else (value,):
            if not isinstance(place, dict):
                yield str(place)[:80] if isinstance(value, list) else name
            elif place.get("code") not in HARMLESS:
                yield " ".join(str(place[field])[:80] for field in ("code", "region") if place.get(field)) or name
