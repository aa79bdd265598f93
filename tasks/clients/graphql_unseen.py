"""What can't be seen in the data of a GraphQL response is replaced by NOT_SEEN, so that it doesn't read as empty."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from loaders.model import NOT_SEEN
from tasks.clients.graphql_errors import Path, PathError
from tasks.failures import CallFailed, Failure
from tasks.resource import Gap


def mark_unseen(action: str, value: Any, errors: Iterable[PathError]) -> tuple[Gap, ...]:
    """Put NOT_SEEN where an error left null in a value, and return the gaps. Nobody knows which elements an error
    within a list hides: the list as a whole isn't seen.
    """
    gaps = dict[Gap, None]()
    for error in errors:
        why = reason(error.as_call_failed(action))
        if not error.path:
            gaps[Gap(action, why)] = None
        elif _mark(value, error.path):
            gaps[Gap(action, f"{dotted(error.path)}: {why}")] = None
    return tuple(gaps)


def denied_with_parent(data: Any, errors: Iterable[PathError], fields: Sequence[str]) -> dict[str, str]:
    """Those of the fields that were denied and, because they may not be null, made the object around them null; with
    the code of the error.
    """
    return {
        name: error.error.code
        for error in errors
        if error.error.failure is Failure.DENIED and error.path and (name := str(error.path[-1])) in fields
        if _is_null(data, error.path[:-1])
    }


def fields_unseen(value: Any, fields: frozenset[str]) -> Any:
    """The same value with NOT_SEEN in the place of these fields."""
    if isinstance(value, dict):
        return {name: NOT_SEEN if name in fields else fields_unseen(inner, fields) for name, inner in value.items()}
    return [fields_unseen(element, fields) for element in value] if isinstance(value, list) else value


def has_unseen(value: Any) -> bool:
    if isinstance(value, dict | list):
        return any(has_unseen(inner) for inner in (value.values() if isinstance(value, dict) else value))
    return value is NOT_SEEN


def objects_at(path: str, value: Any) -> Iterator[dict[str, Any]]:
    """Every object at a path of names; those with `[]` are lists. What isn't seen has none."""
    if not path:
        if isinstance(value, dict):
            yield value
        return
    step, _, rest = path.partition(".")
    inner = value.get(step.removesuffix("[]")) if isinstance(value, dict) else None
    for element in inner if step.endswith("[]") and isinstance(inner, list) else [inner]:
        yield from objects_at(rest, element)


def reason(error: CallFailed) -> str:
    return error.code or str(error.failure)


def dotted(path: Path) -> str:
    """The path without the numbers, so that the same gap of many objects is reported once."""
    return ".".join(step for step in path if isinstance(step, str))


def _is_null(value: Any, path: Path) -> bool:
    for step in path:
        try:
            value = value[step]
        except (LookupError, TypeError):
            return True
    return value is None


def _mark(value: Any, path: Path) -> bool:
    """Follow the path to the first null, or to its end, and put NOT_SEEN into the last named field before that."""
    holder: tuple[dict[str, Any], str] | None = None
    for step in path:
        if isinstance(value, dict) and isinstance(step, str) and step in value:
            holder, value = (value, step), value[step]
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            break
        if value is None or value is NOT_SEEN:
            break
    if holder is None:
        return False
    owner, name = holder
    owner[name] = NOT_SEEN
    return True
