"""What the sources of values are called in messages and on the schema pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

from loaders.model import Property, Value

P = ParamSpec("P")
R = TypeVar("R")

_PARENT_PATH: Final = "parent_path"  # of a function that `loaders.model.parent` made


def named(name: str, meaning: str = "") -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Name a function that another function made, after what it was made from: `@named(f"okta_time({path!r})")`.

    `meaning`: its documentation, which the schema pages show.
    """

    def with_name(function: Callable[P, R]) -> Callable[P, R]:
        function.__name__ = name
        function.__doc__ = meaning or function.__doc__
        return function

    return with_name


def text_of(value: Value) -> str:
    """The path, or the name of the function."""
    if isinstance(value, str):
        return value
    name: object = getattr(value, "__name__", None)
    return str(name) if name else repr(value)


def source_of(declared: Property) -> str:
    """Where a property's value comes from, in words."""
    path: object = getattr(declared.source, _PARENT_PATH, None)
    if path:
        return f"parent({path!r})"
    return text_of(declared.source) + ("()" if callable(declared.source) else "")


def described(error: Exception) -> str:
    """An error of a declaration's own code."""
    return f"{type(error).__name__}: {str(error)[:200]}"
