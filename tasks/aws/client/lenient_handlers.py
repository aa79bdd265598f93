"""Values that aren't what the service's model says are kept apart, so that each costs itself and reads as nothing else.

botocore reads a text in the place of a list letter by letter, an XML element with a text as an empty list or structure,
and any word but `true` as false. A number that isn't one costs it the whole response.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.model import Shape
from botocore.parsers import BaseXMLResponseParser


@dataclass(frozen=True, slots=True)
class Misfit:
    """In place of a list or an object: something else. Unlike a text, it can't be read letter by letter."""

    value: object
    expected: str

    def __repr__(self) -> str:
        return f"{self.value!r:.60} (not a {self.expected})"


Handler = Callable[[Shape, Any], Any]
Instead = Callable[[Shape, Any], bool]  # whether a value is something else than its shape says

_CONTAINERS: Final = ("list", "map", "structure")
_SCALARS: Final = ("blob", "double", "float", "integer", "long")


def make_lenient(parser: Any) -> None:
    """Wrap the parser's handlers, which it looks up by the name of a shape's type."""
    is_other = _XML if isinstance(parser, BaseXMLResponseParser) else _JSON
    for name, judge in is_other.items():
        setattr(parser, f"_handle_{name}", _unless(getattr(parser, f"_handle_{name}"), judge))
    for name in _SCALARS:
        if handler := getattr(parser, f"_handle_{name}", None):  # JSON has its own numbers
            setattr(parser, f"_handle_{name}", _if_it_parses(handler))


def _unless(handler: Handler, is_other: Instead) -> Handler:
    def handle(shape: Shape, value: Any) -> Any:
        if not is_other(shape, value):
            return handler(shape, value)
        return Misfit(_raw(value), shape.type_name) if shape.type_name in _CONTAINERS else _raw(value)

    return handle


def _if_it_parses(handler: Handler) -> Handler:
    def handle(shape: Shape, value: Any) -> Any:
        try:
            return handler(shape, value)
        except (TypeError, ValueError):
            return _raw(value)

    return handle


def _raw(value: Any) -> Any:
    return getattr(value, "text", value)


def _no_list(shape: Shape, value: Any) -> bool:
    in_header = shape.serialization.get("location") == "header"
    return not isinstance(value, list) and not in_header


def _no_object(shape: Shape, value: Any) -> bool:
    is_document = getattr(shape, "is_document_type", False)
    return value is not None and not isinstance(value, dict) and not is_document


def _only_text(shape: Shape, value: Any) -> bool:
    """An element with a text and nothing in it."""
    if isinstance(value, list) or shape.serialization.get("flattened") or not hasattr(value, "text"):
        return False
    return not len(value) and not value.attrib and bool((value.text or "").strip())


def _no_boolean(shape: Shape, value: Any) -> bool:
    text = _raw(value)
    return bool(text) and text not in ("true", "false")


_JSON: Final[Mapping[str, Instead]] = {"list": _no_list, "map": _no_object, "structure": _no_object}
_XML: Final[Mapping[str, Instead]] = {**dict.fromkeys(_CONTAINERS, _only_text), "boolean": _no_boolean}
