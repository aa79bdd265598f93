"""What of a GraphQL response can't be seen: each null and each error costs the part that it is in, and no more.

Null in a list hides an element of which nobody knows which one it is. Without an error it stands for an account that
was deleted or suspended, or for something that the token isn't shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from loaders.model import NOT_SEEN
from tasks.clients.graphql_errors import PartError, Path, below
from tasks.failures import CallFailed, Failure
from tasks.resource import Gap

NULL: Final = "NULL"  # the code of what is null, and no error says why


@dataclass(frozen=True, slots=True)
class Element:
    """One of a list, with what of it isn't seen."""

    value: Any
    gaps: tuple[Gap, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a connection.

    elements  those that are there
    hidden    for each that isn't, why
    key       where the connection has its elements: `nodes`, or `edges`
    """

    elements: list[Element]
    hidden: list[CallFailed]
    key: str
    has_next: bool
    cursor: str | None


def page_of(action: str, connection: Any, errors: Sequence[PartError], gaps: tuple[Gap, ...] = ()) -> Page:
    """The page that a connection is. Raises CallFailed where it is no whole page: what was cut short must not read as
    a list.

    errors  of what lies in it
    gaps    what had to be left out of it
    """
    if not isinstance(connection, Mapping):
        raise _why(errors, action, "null where a list was expected" if connection is None else "no connection")
    key = "edges" if "edges" in connection else "nodes"
    listed = connection.get(key)
    if not isinstance(listed, list) or any(error.path in ((), (key,)) for error in errors):
        raise _why(errors, action, f"the response has no {key}")
    info = connection.get("pageInfo")
    if not isinstance(info, Mapping) or not isinstance(info.get("hasNextPage"), bool):
        raise CallFailed(Failure.INVALID_RESPONSE, action, "the response has no pageInfo.hasNextPage")
    elements: list[Element] = []
    hidden: list[CallFailed] = []
    for number, value in enumerate(listed):
        own = below(errors, key, number)
        if _is_there(value, key):
            left_out = gaps if gaps and has_unseen(value) else ()
            elements.append(Element(value, (*left_out, *marked(action, value, own))))
        else:
            hidden.append(_first(own, action) or CallFailed(Failure.DENIED, action, "null in a list", code=NULL))
    hidden += [error.failed(action) for error in errors if _is_beyond(error.path, key, len(listed))]
    return Page(elements, hidden, key, info["hasNextPage"], _cursor(info))


def marked(action: str, value: Any, errors: Iterable[PartError]) -> tuple[Gap, ...]:
    """Put NOT_SEEN where an error left null in a value, and tell it. What an error within a list leaves out, no one
    knows: the list as a whole isn't seen.
    """
    told = dict[Gap, None]()
    for error in errors:
        if not error.path:
            told[Gap(action, reason(error.failed(action)))] = None
        elif _mark(value, error.path):
            told[Gap(action, f"{shown(error.path)}: {reason(error.failed(action))}")] = None
    return tuple(told)


def taken_with(data: Any, errors: Iterable[PartError], fields: Sequence[str]) -> dict[str, str]:
    """Of these fields those that were denied and, as they may not be null, took with them what has them; and why."""
    return {
        name: error.refusal.code
        for error in errors
        if error.refusal.failure is Failure.DENIED and error.path and (name := str(error.path[-1])) in fields
        if _is_null(data, error.path[:-1])
    }


def _is_null(value: Any, path: Path) -> bool:
    for step in path:
        try:
            value = value[step]
        except (LookupError, TypeError):
            return True
    return value is None


def unseen(value: Any, fields: frozenset[str]) -> Any:
    """The same with NOT_SEEN under these names."""
    if isinstance(value, dict):
        return {name: NOT_SEEN if name in fields else unseen(one, fields) for name, one in value.items()}
    return [unseen(one, fields) for one in value] if isinstance(value, list) else value


def has_unseen(value: Any) -> bool:
    if isinstance(value, dict | list):
        return any(has_unseen(one) for one in (value.values() if isinstance(value, dict) else value))
    return value is NOT_SEEN


def reason(error: CallFailed) -> str:
    return error.code or str(error.failure)


def shown(path: Path) -> str:
    """Without the numbers, so that the same of many things is told once."""
    return ".".join(step for step in path if isinstance(step, str))


def hides(pages_hidden: Sequence[CallFailed], action: str) -> CallFailed:
    """Why a list isn't whole. One of its own class, so that what was denied is shown as such."""
    first = pages_hidden[0]
    number = len(pages_hidden)
    of_them = f"{action} for {number} item{'s' if number > 1 else ''}"
    failure = Failure.DENIED if first.failure is Failure.NOT_FOUND else first.failure
    return CallFailed(failure, of_them, first.reason, code=first.code)


def _is_there(value: Any, key: str) -> bool:
    return isinstance(value, Mapping) and not (key == "edges" and "node" in value and value["node"] is None)


def _is_beyond(path: Path, key: str, size: int) -> bool:
    """Is the error of an element that the list doesn't even have?"""
    return path[0] == key and not (isinstance(path[1], int) and path[1] < size)


def _first(errors: Sequence[PartError], action: str) -> CallFailed | None:
    return errors[0].failed(action) if errors else None


def _why(errors: Sequence[PartError], action: str, otherwise: str) -> CallFailed:
    return _first(errors, action) or CallFailed(Failure.INVALID_RESPONSE, action, otherwise)


def _cursor(info: Mapping[str, Any]) -> str | None:
    found = info.get("endCursor")
    return found if isinstance(found, str) and found else None


def _mark(value: Any, path: Path) -> bool:
    """Follow the path to the first null, or to its end; what has it by name gets NOT_SEEN."""
    named: tuple[dict[str, Any], str] | None = None
    for step in path:
        if isinstance(value, dict) and isinstance(step, str) and step in value:
            named, value = (value, step), value[step]
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            break
        if value is None or value is NOT_SEEN:
            break
    if named is None:
        return False
    holder, name = named
    holder[name] = NOT_SEEN
    return True


def each_at(path: str, value: Any) -> Iterator[dict[str, Any]]:
    """Every object at a path of names, of which those with `[]` are lists. What isn't seen has none."""
    if not path:
        if isinstance(value, dict):
            yield value
        return
    step, _, rest = path.partition(".")
    found = value.get(step.removesuffix("[]")) if isinstance(value, dict) else None
    for one in found if step.endswith("[]") and isinstance(found, list) else [found]:
        yield from each_at(rest, one)
