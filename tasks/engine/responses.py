"""Where a response holds what was asked for, and the name under which an item keeps it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from loaders.model import at
from tasks.failures import CallFailed, Failure

_WORD: Final = re.compile("[:/]")


def values_at(path: str, page: object, action: str, *, allow_single: bool = True) -> list[Any]:
    """The items at a path of a response. `allow_single`: it may be one object rather than a list.

    Raises CallFailed where there is neither: a response that was cut short, or is something else, must not read as an
    empty list.
    """
    try:
        values: object = at(path, page) if path else page
    except TypeError as error:
        raise CallFailed(Failure.INVALID_RESPONSE, action, f"the response has no list at {path}: {error}") from None
    if values is None:  # an empty list would be there, and empty
        raise CallFailed(Failure.INVALID_RESPONSE, action, f"the response has no {path or 'list'}")
    if isinstance(values, list):
        return values
    if not allow_single or not isinstance(values, Mapping):
        raise CallFailed(Failure.INVALID_RESPONSE, action, f"{path or 'the response'} is not a list")
    return [values]


def at_or_none(path: str, value: object) -> Any:
    """The value at a path; None where it leads through something else, which is rejected when the item is read."""
    try:
        return at(path, value)
    except TypeError:
        return None


def objects_of(values: object) -> list[dict[str, Any]]:
    """The objects in a list; none of what isn't a list."""
    return [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []


def name_of(action: str) -> str:
    """The name under which an item has the response of a further call: `iam:GetUser` -> `GetUser`,
    `GET /users/{id}/roles` -> `roles`, `directory:members.list` -> `members`.
    """
    word = next(word for word in reversed(_WORD.split(action)) if not word.startswith("{"))
    return word.removesuffix(".list").removesuffix(".get").rpartition(".")[2]
