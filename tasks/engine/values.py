"""A value of a response, checked against the type of its field, and made such that the graph can hold it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from loaders.model import NodeModel, Property, Value
from tasks.failures import InvalidRecord

LARGEST: Final = 2**63  # integers of the graph have 64 bits
# An indexed text may be no longer: Neo4j's range index takes some 8 kB, and refuses the node otherwise.
MAX_INDEXED_BYTES: Final = 8_000


def checked(declared: Property, value: Any, model: NodeModel) -> Any:
    """The value as its field's type has it: times become text as the graph of 2020 has them, in Python's form.

    Raises BadItem: label, field, value, and what was expected.
    """
    where = f"{model.label}.{declared.name}"
    if isinstance(value, datetime) and str in declared.types:
        value = str(value)
    if value is None or (declared.is_key and value == ""):
        if declared.is_key:
            raise InvalidRecord(f"{where}: the row has no key ({source_of(declared)})")
        if not declared.optional:
            raise InvalidRecord(f"{where}: missing ({source_of(declared)})")
        return None
    if isinstance(value, list | tuple | set | frozenset) and list in declared.types:
        return _elements(where, value)
    if isinstance(value, bool) and bool not in declared.types:
        raise InvalidRecord(f"{where}: {value!r} is a truth value, expected {_type_names(declared)}")
    if isinstance(value, int) and float in declared.types and int not in declared.types:
        return float(value)
    if not isinstance(value, declared.types):
        raise InvalidRecord(f"{where}: {value!r:.100} is {type(value).__name__}, expected {_type_names(declared)}")
    value = _storable(where, value)
    if (declared.index or declared.is_key) and isinstance(value, str):
        _must_fit_an_index(where, value)
    return value


def _elements(where: str, values: Any) -> list[Any]:
    """As the graph holds lists: all of one kind, and none of them null."""
    found = [_storable(where, value) for value in values if value is not None]
    if any(type(value) is not type(found[0]) or not isinstance(value, str | int | float) for value in found):
        raise InvalidRecord(f"{where}: {values!r:.100} is not a list of texts, or of numbers")
    return found


def _storable(where: str, value: Any) -> Any:
    if isinstance(value, str):
        return well_formed(value)
    if isinstance(value, int) and not -LARGEST <= value < LARGEST:
        raise InvalidRecord(f"{where}: {str(value)[:30]} has more than 64 bits")
    return value


def well_formed(text: str) -> str:
    """The text with U+FFFD for half of a character: JSON may say one, and no encoding of Unicode can."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _must_fit_an_index(where: str, text: str) -> None:
    if len(text) > MAX_INDEXED_BYTES // 4 and (size := len(text.encode())) > MAX_INDEXED_BYTES:
        raise InvalidRecord(f"{where}: {size} bytes are more than an index takes ({MAX_INDEXED_BYTES})")


def source_of(declared: Property) -> str:
    """Where a property's value comes from, in words."""
    path: str | None = getattr(declared.source, "parent_path", None)
    return f"parent({path!r})" if path else text_of(declared.source) + ("()" if callable(declared.source) else "")


def text_of(value: Value) -> str:
    return value if isinstance(value, str) else getattr(value, "__name__", repr(value))


def _type_names(declared: Property) -> str:
    return " or ".join(t.__name__ for t in declared.types)
