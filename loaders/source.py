"""Where a node's values come from: an item of a response, its parents, and the scope that it was fetched for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from loaders.scope import Scope


class NotSeen(Exception):
    """The value belongs to a detail that could not be read, so it is neither present nor absent."""


class _NotSeenValue:
    """Placeholder for the response of a detail that could not be read. Any use of it raises NotSeen."""

    def _raise(self, *_: object) -> Any:
        raise NotSeen

    __getitem__ = __contains__ = __iter__ = __len__ = __bool__ = __reversed__ = _raise

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise NotSeen

    def __repr__(self) -> str:
        return "NOT_SEEN"


Mapping.register(_NotSeenValue)
Sequence.register(_NotSeenValue)
NOT_SEEN: Final[Any] = _NotSeenValue()


@dataclass(frozen=True, slots=True)
class Source:
    """One item of a response, its enclosing items (nearest first), and the scope that it was fetched for.

    access   how the tenant is reached: names of profiles, roles or variables, as the options give them
    unseen   details of the item that could not be read and are None in it. A property's own function decides what that
             None means; nodes and edges below such a detail stay as they are.
    """

    item: Any
    scope: Scope
    parents: tuple[Any, ...] = ()
    partition: str = "aws"
    tenant_name: str = ""
    access: Mapping[str, str] = field(default_factory=dict)
    unseen: frozenset[str] = frozenset()


Value = str | Callable[[Source], Any]  # a path into the item, or a function where no path is enough


def scope_region(source: Source) -> str:
    """The region it was found in."""
    return source.scope.region


def scope_tenant(source: Source) -> str:
    """The tenant it was found in."""
    return source.scope.tenant


def constant(value: object) -> Callable[[Source], Any]:
    """The same value for every row."""

    def always(source: Source) -> object:
        return value

    always.__doc__ = f"Always {value!r}."
    return always


def parent(path: str) -> Callable[[Source], Any]:
    """The value at `path` in the nearest enclosing item that has the first field of the path."""
    first = path.split(".")[0].removesuffix("[]")

    def look_up(source: Source) -> object:
        for item in source.parents:
            if isinstance(item, Mapping) and first in item:
                return at(path, item)
        return None

    look_up.__doc__ = f"`{path}` of the enclosing item."
    look_up.parent_path = path  # type: ignore[attr-defined]  # the contract test checks it against the service's model
    return look_up


def at(path: str, item: object) -> Any:
    """The value at a path: `a.b` descends, `a[]` takes every element.

    None where a field is absent. With `[]` the result is a list, and empty where the list is absent, because APIs omit
    empty lists; an explicit null on the way is None all the same. Raises NotSeen for a detail that could not be read,
    and TypeError where the path leads through a value that is neither an object nor a list: that is not "nothing".
    """
    values: list[object] = [item] if isinstance(item, Mapping) else []
    many = False
    for step in path.split("."):
        name = step.removesuffix("[]")
        members = [value[name] for value in _objects(values, path, name) if name in value]
        values = [member for member in members if member is not None]
        if members and not values:
            return None
        if step.endswith("[]"):
            many = True
            elements = [element for value in _lists(values, path, step) for element in value]
            values = [element for element in elements if element is not None]
    if any(value is NOT_SEEN for value in values):
        raise NotSeen
    if many:
        return values
    return values[0] if values else None


def elements(value: object) -> Sequence[Any]:
    """The elements of a list, nulls among them; none where it is absent.

    Raises TypeError for anything else: a text would be read letter by letter, and an empty one as an empty list.
    """
    if value is None:
        return ()
    if isinstance(value, list | tuple):
        return value
    raise TypeError(f"{value!r:.60} is {type(value).__name__}, expected a list")


def _objects(values: Iterable[object], path: str, step: str) -> Iterator[Mapping[str, object]]:
    for value in values:
        if not isinstance(value, Mapping):
            raise _wrong_type(value, path, step, "an object")
        yield value


def _lists(values: Iterable[object], path: str, step: str) -> Iterator[Sequence[object]]:
    for value in values:
        if not isinstance(value, Sequence) or isinstance(value, str | bytes):
            raise _wrong_type(value, path, step, "a list")
        yield value


def _wrong_type(value: object, path: str, step: str, expected: str) -> TypeError:
    actual = "a list" if isinstance(value, list) else type(value).__name__
    return TypeError(f"{path}: {actual} at {step}, expected {expected}")
