"""A value of a response, checked against the type of its field and converted to what the graph can hold."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from loaders.model import NodeModel, Property
from tasks.engine.naming import source_of
from tasks.failures import InvalidRecord

LARGEST: Final = 2**63  # integers of the graph have 64 bits
# Neo4j's range index takes about 8 kB per text, and refuses the node otherwise.
MAX_INDEXED_BYTES: Final = 8_000
MAX_TEXT: Final = 1_000_000  # characters: a row has to fit into a transaction, with many others


def checked(declared: Property, value: object, model: NodeModel) -> object:
    """The value as its field's type requires. Times become text, as graphs of 2020 have them, in Python's format.

    Raises InvalidRecord with the label, the field, the value and what was expected.
    """
    where = f"{model.label}.{declared.name}"
    if isinstance(value, datetime) and str in declared.types:
        value = str(value)
    if value is None or (declared.is_key and value == ""):
        _check_absence(where, declared)
        return None
    if isinstance(value, list | tuple | set | frozenset) and list in declared.types:
        return _elements(where, value)
    if isinstance(value, bool) and bool not in declared.types:
        raise InvalidRecord(f"{where}: {value!r} is a boolean, expected {_type_names(declared)}")
    if isinstance(value, int) and float in declared.types and int not in declared.types:
        value = _float(where, value)
    if not isinstance(value, declared.types):
        raise InvalidRecord(f"{where}: {value!r:.100} is {type(value).__name__}, expected {_type_names(declared)}")
    value = _storable(where, value)
    if (declared.index or declared.is_key) and isinstance(value, str):
        check_index_size(where, value)
    return value


def _check_absence(where: str, declared: Property) -> None:
    if declared.is_key:
        raise InvalidRecord(f"{where}: the row has no key ({source_of(declared)})")
    if not declared.optional:
        raise InvalidRecord(f"{where}: missing ({source_of(declared)})")


def _elements(where: str, values: Iterable[object]) -> list[object]:
    """As the graph holds lists: all elements of one type, none of them null."""
    elements = [_storable(where, value) for value in values if value is not None]
    if any(type(e) is not type(elements[0]) or not isinstance(e, str | int | float) for e in elements):
        raise InvalidRecord(f"{where}: {values!r:.100} is not a list of texts, or of numbers")
    return elements


def _storable(where: str, value: object) -> object:
    if isinstance(value, str):
        if len(value) > MAX_TEXT:
            raise InvalidRecord(f"{where}: {len(value):,} characters, more than are kept ({MAX_TEXT:,})")
        return well_formed(value)
    if isinstance(value, int) and not -LARGEST <= value < LARGEST:
        raise InvalidRecord(f"{where}: an integer of more than 64 bits")
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidRecord(f"{where}: {value} is not a number")
    return value


def _float(where: str, value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        raise InvalidRecord(f"{where}: an integer of more than 64 bits") from None


def well_formed(text: str) -> str:
    """The text with U+FFFD for each lone surrogate: JSON can contain them, and no encoding of Unicode can."""
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def check_index_size(where: str, text: str) -> None:
    """Raises InvalidRecord for what an index doesn't take."""
    if len(text) > MAX_INDEXED_BYTES // 4 and (size := len(text.encode())) > MAX_INDEXED_BYTES:
        raise InvalidRecord(f"{where}: {size} bytes, more than an index takes ({MAX_INDEXED_BYTES})")


def _type_names(declared: Property) -> str:
    return " or ".join(type_.__name__ for type_ in declared.types)
