"""A page of a GraphQL connection: its elements, and those that the response hides.

Null in a list hides an element, and nobody knows which one. Without an error it stands for an account that was deleted
or suspended, or for something that the token may not see.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tasks.clients.graphql_errors import Path, PathError, errors_below
from tasks.clients.graphql_unseen import has_unseen, mark_unseen
from tasks.failures import CallFailed, Failure
from tasks.resource import Gap

NULL: Final = "NULL"  # the code of a null that no error explains


@dataclass(frozen=True, slots=True)
class Element:
    """An element of a list, with the gaps in it."""

    value: Any
    gaps: tuple[Gap, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a connection.

    elements  those that can be seen
    hidden    the reason for each one that can't
    key       where the connection has its elements: `nodes` or `edges`
    """

    elements: list[Element]
    hidden: list[CallFailed]
    key: str
    has_next: bool
    cursor: str | None


def page_of(action: str, connection: Any, errors: Sequence[PathError], gaps: tuple[Gap, ...] = ()) -> Page:
    """A connection as a page. Raises CallFailed if it isn't a whole page: what was cut short must not read as a list.

    errors  those within the connection
    gaps    of the fields that had to be removed from the query
    """
    if not isinstance(connection, Mapping):
        expected = "null, expected a list" if connection is None else "not a connection"
        raise _first_error(errors, action) or CallFailed(Failure.INVALID_RESPONSE, action, expected)
    key = "edges" if "edges" in connection else "nodes"
    listed = connection.get(key)
    if not isinstance(listed, list) or any(error.path in ((), (key,)) for error in errors):
        absent = CallFailed(Failure.INVALID_RESPONSE, action, f"the response has no {key}")
        raise _first_error(errors, action) or absent
    info = connection.get("pageInfo")
    if not isinstance(info, Mapping) or not isinstance(info.get("hasNextPage"), bool):
        raise CallFailed(Failure.INVALID_RESPONSE, action, "the response has no pageInfo.hasNextPage")
    elements: list[Element] = []
    hidden: list[CallFailed] = []
    for index, value in enumerate(listed):
        element_errors = errors_below(errors, key, index)
        if _is_there(value, key):
            removed = gaps if gaps and has_unseen(value) else ()
            elements.append(Element(value, (*removed, *mark_unseen(action, value, element_errors))))
        else:
            null = CallFailed(Failure.DENIED, action, "null in a list", code=NULL)
            hidden.append(_first_error(element_errors, action) or null)
    hidden += [error.as_call_failed(action) for error in errors if _is_beyond(error.path, key, len(listed))]
    return Page(elements, hidden, key, info["hasNextPage"], _cursor(info))


def hidden_elements(hidden: Sequence[CallFailed], action: str) -> CallFailed:
    """Why a list isn't complete: of the class of the first reason, so that denied elements show as denied."""
    first, number = hidden[0], len(hidden)
    failure = Failure.DENIED if first.failure is Failure.NOT_FOUND else first.failure
    items = f"{action} for {number} item{'s' if number > 1 else ''}"
    return CallFailed(failure, items, first.reason, code=first.code)


def _is_there(value: Any, key: str) -> bool:
    return isinstance(value, Mapping) and not (key == "edges" and "node" in value and value["node"] is None)


def _is_beyond(path: Path, key: str, size: int) -> bool:
    """Whether an error is that of an element which the list doesn't even contain."""
    return path[0] == key and not (isinstance(path[1], int) and path[1] < size)


def _first_error(errors: Sequence[PathError], action: str) -> CallFailed | None:
    return errors[0].as_call_failed(action) if errors else None


def _cursor(info: Mapping[str, Any]) -> str | None:
    cursor = info.get("endCursor")
    return cursor if isinstance(cursor, str) and cursor else None
