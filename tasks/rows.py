"""An item of an answer becomes rows: each declared value is found, checked against its type, and put in its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from loaders.batch import Row, row_of
from loaders.model import Each, IdLink, NodeModel, Property, Reference, Source, Value, at
from tasks.failures import BadItem
from tasks.resource import ResourceType


def rows_of(type_: ResourceType, whole: Source) -> Iterator[tuple[NodeModel, Row]]:
    """The rows of every node model that the type yields from one item. Raises BadItem: label, field and value."""
    for each in type_.each:
        for source in sources(each, whole):
            yield each.node.model, _row(each.node.model, source)


def sources(each: Each, whole: Source) -> Iterator[Source]:
    """The items at the path of an `Each`, each with the items around it, nearest first."""
    if callable(each.path):
        with _kept_aside(each.path):
            for found in each.path(whole):
                yield _inside(whole, found)
        return
    level = [whole]
    for step in each.path.split(".") if each.path else ():
        level = [inner for outer in level for inner in _step_into(outer, step)]
    yield from level


def _step_into(outer: Source, step: str) -> Iterator[Source]:
    value = outer.item.get(step.removesuffix("[]")) if isinstance(outer.item, Mapping) else None
    inner: Iterable[Any] = (value or ()) if step.endswith("[]") else (() if value is None else (value,))
    for element in inner:
        yield _inside(outer, element)


def _inside(outer: Source, element: Any) -> Source:
    return replace(outer, item=element, parents=(outer.item, *outer.parents))


def _row(model: NodeModel, source: Source) -> Row:
    values = {p.name: _checked(p, evaluate(p.source, source), model) for p in model.properties}
    node = model.cls(**values)
    id_links: list[list[str]] = []
    references: list[list[str]] = []
    for relationship in model.relationships:
        if isinstance(relationship, IdLink):
            id_links.append(_keys(relationship, source, model))
        elif isinstance(relationship, Reference):
            references.append(_keys(relationship, source, model))
    return row_of(node, id_links, references, source.scope)


def evaluate(value: Value, source: Source) -> Any:
    """The value at a path, or what a declaration's own function makes of the item."""
    if isinstance(value, str):
        return at(value, source.item)
    with _kept_aside(value):
        return value(source)


@contextmanager
def _kept_aside(function: Callable[[Source], Any]) -> Iterator[None]:
    """What a declaration's own function can't find or read in an item keeps the item aside."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
        raise BadItem(f"{getattr(function, '__name__', function)}: {type(error).__name__}: {error}") from error


def _keys(relationship: IdLink | Reference, source: Source, model: NodeModel) -> list[str]:
    found = evaluate(relationship.keys, source)
    keys = found if isinstance(found, list | tuple | set | frozenset) else (found,)
    present = [key for key in keys if key not in (None, "")]
    if not all(isinstance(key, str) for key in present):
        raise BadItem(f"{model.label}: {relationship.type} {relationship.label}: {present!r:.100} are not ids")
    return list(dict.fromkeys(present))


def _checked(declared: Property, value: Any, model: NodeModel) -> Any:
    """The value as its field's type has it: times become text as the graph of 2020 has them, in Python's form."""
    where = f"{model.label}.{declared.name}"
    if isinstance(value, datetime) and str in declared.types:
        value = str(value)
    if value is None or (declared.is_key and value == ""):
        if declared.is_key:
            raise BadItem(f"{where}: the row has no key ({_source_name(declared)})")
        if not declared.optional:
            raise BadItem(f"{where}: missing ({_source_name(declared)})")
        return None
    if isinstance(value, list | tuple | set | frozenset) and list in declared.types:
        return list(value)
    if isinstance(value, bool) and bool not in declared.types:
        raise BadItem(f"{where}: {value!r} is a truth value, expected {_type_names(declared)}")
    if isinstance(value, int) and float in declared.types and int not in declared.types:
        return float(value)
    if not isinstance(value, declared.types):
        raise BadItem(f"{where}: {value!r:.100} is {type(value).__name__}, expected {_type_names(declared)}")
    return value


def _type_names(declared: Property) -> str:
    return " or ".join(t.__name__ for t in declared.types)


def _source_name(declared: Property) -> str:
    if isinstance(declared.source, str):
        return declared.source
    path: str | None = getattr(declared.source, "parent_path", None)
    return f"parent({path!r})" if path else f"{declared.source.__name__}()"
