"""Whether a response of Google's is what was asked for, and whether it is whole: by its discovery document.

`{}` with status 200 isn't "there are none" because a proxy can say it: a response is a list if its `kind` says so,
or if
it has the list, and no field that the document doesn't know. Where the document knows no `kind`, `{}` is how Google
says that there are none, and is taken for that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from tasks.clients.google_documents import lists_of, map_of, response_of, schema_of

_UNSEEN: Final = re.compile("unreach|missing|unavailable|partial|incomplete|warning", re.IGNORECASE)
# Of the codes of warnings in the discovery documents, those that say nothing of items which aren't there.
HARMLESS: Final = {
    "DEPRECATED_RESOURCE_USED",
    "DEPRECATED_TYPE_USED",
    "EXPERIMENTAL_TYPE_USED",
    "NO_RESULTS_ON_PAGE",
}
_MAX_NAMED: Final = 10


def wrong_with(action: str, body: Any) -> str | None:
    """Why it isn't a response to this call; None where it is one."""
    if not isinstance(body, dict):
        return "the response is no object"
    by_place = map_of(action)
    if said := _wrong_list(lists_of(action), body) or _wrong_map(action, by_place, body):
        return said
    if not isinstance(body.get("nextPageToken") or "", str):
        return "nextPageToken is no text"
    kind = _kind(action)
    if kind and "kind" in body:
        return None if body["kind"] == kind else f"its kind is {str(body['kind'])[:80]!r}, expected {kind!r}"
    lists = (*lists_of(action), *((by_place,) if by_place else ()))
    if any(name in body for name in lists):
        return None
    if kind:
        return f"it has neither a kind{''.join(f' nor {name}' for name in lists)}"
    if not lists:  # one thing: its fields grow, and its key tells whether it is one
        return None if body.keys() & response_of(action).keys() else "it has none of the fields of such a response"
    unknown = _unknown(action, body)
    return f"it has fields that no such response has: {', '.join(unknown[:_MAX_NAMED])}" if unknown else None


def _kind(action: str) -> str | None:
    """What each response of the method says of itself."""
    said: str | None = response_of(action).get("kind", {}).get("default")
    return said


def _unknown(action: str, body: Mapping[str, Any]) -> list[str]:
    return sorted(str(name)[:40] for name in body.keys() - response_of(action).keys())


def _wrong_list(lists: tuple[str, ...], body: Mapping[str, Any]) -> str | None:
    wrong = [name for name in lists if name in body and not isinstance(body[name], list)]
    return f"{wrong[0]} is no list" if wrong else None


def _wrong_map(action: str, by_place: str | None, body: Mapping[str, Any]) -> str | None:
    if by_place is None or by_place not in body:
        return None
    if not isinstance(body[by_place], dict):
        return f"{by_place} is no object"
    names = _lists_of_a_place(action, by_place)
    for place, found in body[by_place].items():
        if not isinstance(found, dict):
            return f"{by_place} of {place!r:.80} is no object"
        if said := _wrong_list(names, found):
            return f"{by_place} of {place!r:.80}: {said}"
    return None


def _lists_of_a_place(action: str, by_place: str) -> tuple[str, ...]:
    fields = schema_of(action, response_of(action)[by_place]["additionalProperties"])["properties"]
    return tuple(name for name, of in fields.items() if of.get("type") == "array" and "$ref" in of["items"])


def unseen(action: str, body: Mapping[str, Any]) -> Iterator[str]:
    """What a response says that it doesn't hold: places that Google couldn't reach, a warning that isn't harmless."""
    by_place = map_of(action)
    if not lists_of(action) and not by_place:
        return
    yield from _unseen(action, body)
    if "kind" not in body:  # what a field means that isn't known, isn't known
        yield from (f"it has a field {name}" for name in _unknown(action, body) if body.get(name))
    for place, found in body.get(by_place, {}).items() if by_place else ():
        yield from (f"{place} ({one})" for one in _unseen(action, found))


def _unseen(action: str, found: Mapping[str, Any]) -> Iterator[str]:
    items = {*lists_of(action), map_of(action)}
    for name, value in found.items():
        if name in items or not _UNSEEN.search(name) or not value:
            continue
        if isinstance(value, dict) and value.get("code") in HARMLESS:
            continue
        if isinstance(value, list):
            yield from (str(one)[:80] for one in value)
        else:
            yield str(value["code"])[:80] if isinstance(value, dict) and value.get("code") else name
