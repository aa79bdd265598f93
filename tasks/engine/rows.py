"""An item of a response becomes rows: each declared value is found, checked against its type, and put in its place.

What can't be read costs itself and nothing around it: a value becomes null, an element or an item is rejected, and what
lies in a detail that was not seen stays in the graph as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from loaders import batch
from loaders.batch import Row
from loaders.model import Each, IdLink, NodeModel, NotSeen, Reference, Source, Value, at
from loaders.scope import Scope
from tasks.engine.values import checked, text_of, well_formed
from tasks.failures import InvalidRecord
from tasks.resource import ResourceType

# What a declaration's own function raises where an item lacks what it looks for, or has something else there.
_UNREADABLE = (LookupError, TypeError, AttributeError, ValueError, ArithmeticError)


@dataclass(slots=True)
class ItemRows:
    """What one item says.

    rows      of each model, to be loaded
    kept      of each model, what stays as it is: it lies in a detail not seen, or was rejected
    rejected  where something is not as declared -> label, field, value and what was expected
    """

    rows: list[tuple[NodeModel, Row]] = field(default_factory=list)
    kept: list[tuple[NodeModel, Row]] = field(default_factory=list)
    rejected: dict[str, str] = field(default_factory=dict)


def rows_of(type_: ResourceType, whole: Source) -> Iterator[tuple[NodeModel, Row]]:
    """The rows of an item that is as declared. Raises BadItem with the first thing that isn't."""
    found = read(type_, whole)
    for reason in found.rejected.values():
        raise InvalidRecord(reason)
    yield from found.rows


def read(type_: ResourceType, whole: Source, item: str | None = None) -> ItemRows:
    """The rows of every node model that the type yields from one item. `item`: what tells it from the others.

    Raises BadItem where an item can't be told from the others: any node that the list lacks may be this one.
    """
    return _Reading(type_, whole.scope, item).read(whole)


def unread(type_: ResourceType, source: Source, item: str) -> list[tuple[NodeModel, Row]]:
    """What keeps all that the graph has of an item."""
    models = (node.model for node in type_.nodes)
    # What scopes share lives as long as their edges.
    return [(model, batch.kept(source.scope, item=item)) for model in models if not model.shared]


class _Reading:
    """One item on its way to rows."""

    def __init__(self, type_: ResourceType, scope: Scope, item: str | None) -> None:
        self._type = type_
        self._scope = scope
        self._item = item
        self._found = ItemRows()
        self._lost: dict[NodeModel, None] = {}  # models of which there may be nodes that this reading can't name

    def read(self, whole: Source) -> ItemRows:
        each_of_it = self._type.each
        main = next((each for each in each_of_it if each.path == "" and not each.node.model.shared), None)
        if main is not None:
            self._read_row(main.node.model, whole, is_main=True)
            if main.node.model in self._lost:  # its children would hang on nothing
                return self._nothing_of_it(main.node.model, whole)
        for each in each_of_it:
            if each is not main:
                for source in self._sources(each, whole):
                    self._read_row(each.node.model, source)
        self._keep_lost()
        return self._found

    def _nothing_of_it(self, main: NodeModel, whole: Source) -> ItemRows:
        if self._item is None:
            raise InvalidRecord(self._why(f"{main.label}: its key is not seen"))
        self._found.kept = unread(self._type, whole, self._item)
        return self._found

    def _keep_lost(self) -> None:
        for model in self._lost:
            if model.shared:
                continue
            if self._item is None:
                raise InvalidRecord(
                    self._why(f"{model.label}: not seen, of an item that nothing tells from the others")
                )
            self._found.kept.append((model, batch.kept(self._scope, item=self._item)))

    def _why(self, otherwise: str) -> str:
        return next(iter(self._found.rejected.values()), otherwise)

    # -- where rows begin

    def _sources(self, each: Each, whole: Source) -> list[Source]:
        """The items at the path of an `Each`, each with the items around it, nearest first."""
        model = each.node.model
        if callable(each.path):
            return self._made(each.path, whole, model)
        level = [whole]
        for step in each.path.split(".") if each.path else ():
            level = [inner for outer in level for inner in self._step_into(outer, step, model)]
        return level

    def _made(self, path: Callable[[Source], Iterable[Any]], whole: Source, model: NodeModel) -> list[Source]:
        """What a declaration's own function finds; what it found before it failed is as good."""
        found: list[Source] = []
        try:
            for element in path(whole):
                found.append(_inside(whole, element))  # noqa: PERF401  # kept where the next one fails
        except NotSeen:
            self._lost[model] = None
        except _UNREADABLE as error:
            self._lost[model] = None
            self._reject(f"{model.label}: {text_of(path)}", f"{text_of(path)}: {_described(error)}")
        return found

    def _step_into(self, outer: Source, step: str, model: NodeModel) -> list[Source]:
        name = step.removesuffix("[]")
        try:
            value = at(step, outer.item)
            if value is None and name in outer.unseen:
                raise NotSeen
        except NotSeen:
            self._lost[model] = None
            return []
        except TypeError as error:
            self._lost[model] = None
            self._reject(f"{model.label}: {step}", f"{model.label}: {error}")
            return []
        inner: Iterable[Any] = value if step.endswith("[]") and value is not None else (value,)
        return [_inside(outer, element) for element in inner if element is not None]

    # -- one row

    def _read_row(self, model: NodeModel, source: Source, *, is_main: bool = False) -> None:
        key = self._key(model, source)
        if key is None:
            self._lost[model] = None
            return
        if is_main and self._item is None and len(self._type.each) > 1:
            self._item = key
        properties = self._properties(model, source)
        if properties is None:
            if not model.shared:
                self._found.kept.append((model, batch.kept(self._scope, key=key)))
            return
        properties[model.key.name] = key
        references: list[list[str]] = []
        for relationship in model.relationships:
            if isinstance(relationship, Reference):
                keys = self._keys(relationship, source, model)
                references.append(keys or [])
                if keys is None:
                    kept = batch.kept(self._scope, key=key, relationship=relationship)
                    self._found.kept.append((model, kept))
            elif isinstance(relationship, IdLink) and (keys := self._keys(relationship, source, model)) is not None:
                properties[relationship.kept_as] = keys or None
        self._found.rows.append((model, batch.row_of(model, properties, references, self._scope, self._item)))

    def _key(self, model: NodeModel, source: Source) -> Any:
        """The row's key; None where it isn't seen, or isn't one."""
        try:
            return checked(model.key, evaluate(model.key.source, source), model)
        except NotSeen:
            return None
        except InvalidRecord as error:
            self._reject(f"{model.label}.{model.key.name}", str(error))
            return None

    def _properties(self, model: NodeModel, source: Source) -> dict[str, Any] | None:
        """Each property but the key; null where it isn't seen, as what it was is not what it is. One by which edges
        are drawn is left as it is, and so are they. None where a property is not as declared, and may not be null.
        """
        found: dict[str, Any] = {}
        for declared in model.properties:
            if declared.is_key:
                continue
            try:
                found[declared.name] = checked(declared, evaluate(declared.source, source), model)
            except NotSeen:
                if declared.name not in model.linked_by and not model.shared:  # another scope may have seen it
                    found[declared.name] = None
            except InvalidRecord as error:
                self._reject(f"{model.label}.{declared.name}", str(error))
                if not declared.optional:
                    return None
                found[declared.name] = None
        return found

    def _keys(self, relationship: IdLink | Reference, source: Source, model: NodeModel) -> list[str] | None:
        """The keys of the other ends; None where they aren't seen, or are no keys."""
        try:
            found = evaluate(relationship.keys, source)
            if found is None and isinstance(relationship.keys, str) and _passes(relationship.keys, source.unseen):
                return None
            return keys_of(relationship, found, model)
        except NotSeen:
            return None
        except InvalidRecord as error:
            self._reject(f"{model.label} {relationship.type} {relationship.label}", str(error))
            return None

    def _reject(self, where: str, reason: str) -> None:
        self._found.rejected.setdefault(where, reason)


def _passes(path: str, names: frozenset[str]) -> bool:
    return bool(names) and any(step.removesuffix("[]") in names for step in path.split("."))


def _inside(outer: Source, element: Any) -> Source:
    return replace(outer, item=element, parents=(outer.item, *outer.parents))


def evaluate(value: Value, source: Source) -> Any:
    """The value at a path, or what a declaration's own function makes of the item. Raises NotSeen, BadItem."""
    try:
        return at(value, source.item) if isinstance(value, str) else value(source)
    except _UNREADABLE as error:
        raise InvalidRecord(f"{text_of(value)}: {_described(error)}") from error


def keys_of(relationship: IdLink | Reference, found: Any, model: NodeModel) -> list[str]:
    """The keys of the other ends, each once. Raises BadItem where something else stands there."""
    keys = found if isinstance(found, list | tuple | set | frozenset) else (found,)
    present = [key for key in keys if key not in (None, "")]
    if not all(isinstance(key, str) for key in present):
        raise InvalidRecord(f"{model.label}: {relationship.type} {relationship.label}: {present!r:.100} are not ids")
    return list(dict.fromkeys(well_formed(key) for key in present))


def _described(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error)[:200]}"
