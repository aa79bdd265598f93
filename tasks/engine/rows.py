"""An item of a response becomes rows: each declared value is read, checked against its type, and put in its place.

What can't be read affects nothing around it: a value becomes null, an element or an item is rejected, and whatever
depends on a detail that was not seen stays in the graph as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from loaders import batch
from loaders.batch import KeptRow, Row
from loaders.model import Each, IdLink, NodeModel, NotSeen, Reference, Source, Value, at
from loaders.scope import Scope
from tasks.engine.naming import described, text_of
from tasks.engine.values import check_index_size, checked, well_formed
from tasks.failures import InvalidRecord
from tasks.resource import ResourceType

# What a declaration's own function raises where an item lacks what it looks for, or has something else there.
_UNREADABLE = (LookupError, TypeError, AttributeError, ValueError, ArithmeticError, RecursionError)


@dataclass(slots=True)
class ItemRows:
    """The rows of one item.

    rows      by model, to be loaded
    kept      by model, what stays as it is: it lies in a detail that was not seen, or was rejected
    rejected  where something is not as declared -> label, field, value and what was expected
    """

    rows: list[tuple[NodeModel, Row]] = field(default_factory=list)
    kept: list[tuple[NodeModel, KeptRow]] = field(default_factory=list)
    rejected: dict[str, str] = field(default_factory=dict)


def rows_of(type_: ResourceType, item: Source) -> Iterator[tuple[NodeModel, Row]]:
    """The rows of an item that is as declared. Raises InvalidRecord with the first thing that isn't."""
    item_rows = read(type_, item)
    for reason in item_rows.rejected.values():
        raise InvalidRecord(reason)
    yield from item_rows.rows


def read(type_: ResourceType, item: Source, key: str | None = None) -> ItemRows:
    """The rows of every node model that the type yields from one item. `key`: what identifies the item.

    Raises InvalidRecord where an item can't be identified: it could be any node that the list lacks.
    """
    return _ItemReader(type_, item, key).read()


def unread(type_: ResourceType, source: Source, key: str) -> list[tuple[NodeModel, KeptRow]]:
    """Rows that keep everything that the graph has of an item."""
    models = (node.model for node in type_.nodes)
    # Shared nodes live as long as their relationships.
    return [(model, batch.kept(source.scope, item=key)) for model in models if not model.shared]


class _ItemReader:
    """Reads one item."""

    def __init__(self, type_: ResourceType, item: Source, key: str | None) -> None:
        self._type = type_
        self._item = item
        self._scope: Scope = item.scope
        self._item_key = key
        self._rows = ItemRows()
        self._incomplete: dict[NodeModel, None] = {}  # models with nodes that could not be read, or not be identified

    def read(self) -> ItemRows:
        all_each = self._type.each
        main = next((each for each in all_each if each.path == "" and not each.node.model.shared), None)
        if main is not None:
            self._read_row(main.node.model, self._item, is_main=True)
            if main.node.model in self._incomplete:  # its children would belong to nothing
                return self._without_main(main.node.model)
        for each in all_each:
            if each is not main:
                for source in self._sources(each):
                    self._read_row(each.node.model, source)
        self._keep_incomplete()
        return self._rows

    def _without_main(self, main: NodeModel) -> ItemRows:
        if self._item_key is None:
            raise InvalidRecord(self._first_rejection(f"{main.label}: its key is not seen"))
        self._rows.kept = unread(self._type, self._item, self._item_key)
        return self._rows

    def _keep_incomplete(self) -> None:
        for model in self._incomplete:
            if model.shared:
                continue
            if self._item_key is None:
                raise InvalidRecord(
                    self._first_rejection(f"{model.label}: not seen, of an item that can't be identified")
                )
            self._rows.kept.append((model, batch.kept(self._scope, item=self._item_key)))

    def _first_rejection(self, otherwise: str) -> str:
        return next(iter(self._rows.rejected.values()), otherwise)

    # -- where rows begin

    def _sources(self, each: Each) -> list[Source]:
        """The items at the path of an `Each`, each with its enclosing items, nearest first."""
        model = each.node.model
        if callable(each.path):
            return self._yielded(each.path, model)
        level = [self._item]
        for step in each.path.split(".") if each.path else ():
            level = [inner for outer in level for inner in self._step_into(outer, step, model)]
        return level

    def _yielded(self, function: Callable[[Source], Iterable[object]], model: NodeModel) -> list[Source]:
        """What a declaration's own function yields; what it yielded before it failed is kept."""
        sources: list[Source] = []
        try:
            for element in function(self._item):
                sources.append(_inside(self._item, element))  # noqa: PERF401  # kept where the next one fails
        except NotSeen:
            self._incomplete[model] = None
        except _UNREADABLE as error:
            self._incomplete[model] = None
            self._reject(f"{model.label}: {text_of(function)}", f"{text_of(function)}: {described(error)}")
        return sources

    def _step_into(self, outer: Source, step: str, model: NodeModel) -> list[Source]:
        name = step.removesuffix("[]")
        try:
            value: object = at(step, outer.item)
            if value is None and name in outer.unseen:
                raise NotSeen
        except NotSeen:
            self._incomplete[model] = None
            return []
        except TypeError as error:
            self._incomplete[model] = None
            self._reject(f"{model.label}: {step}", f"{model.label}: {error}")
            return []
        elements: Iterable[object] = value if step.endswith("[]") and isinstance(value, list) else (value,)
        return [_inside(outer, element) for element in elements if element is not None]

    # -- one row

    def _read_row(self, model: NodeModel, source: Source, *, is_main: bool = False) -> None:
        key = self._key(model, source)
        if key is None:
            self._incomplete[model] = None
            return
        if is_main and self._item_key is None and len(self._type.each) > 1:
            self._item_key = key
        properties = self._properties(model, source)
        if properties is None:
            if not model.shared:
                self._rows.kept.append((model, batch.kept(self._scope, key=key)))
            return
        properties[model.key.name] = key
        references: list[list[str]] = []
        for relationship in model.relationships:
            if isinstance(relationship, Reference):
                keys = self._keys(relationship, source, model)
                references.append(keys or [])
                if keys is None:
                    self._rows.kept.append((model, batch.kept(self._scope, key=key, relationship=relationship)))
            elif isinstance(relationship, IdLink) and (keys := self._keys(relationship, source, model)) is not None:
                properties[relationship.kept_as] = keys or None
        self._rows.rows.append((model, batch.row_of(model, properties, references, self._scope, self._item_key)))

    def _key(self, model: NodeModel, source: Source) -> str | None:
        """The row's key; None where it isn't seen, or isn't valid."""
        try:
            key = checked(model.key, evaluate(model.key.source, source), model)
        except NotSeen:
            return None
        except InvalidRecord as error:
            self._reject(f"{model.label}.{model.key.name}", str(error))
            return None
        return key  # type: ignore[return-value]  # keys are declared as str

    def _properties(self, model: NodeModel, source: Source) -> dict[str, object] | None:
        """Each property but the key; null where it isn't seen, since the old value may no longer hold. A property that
        links are made by is left as it is, and so are its links.

        None where a property that can't be null is not as declared.
        """
        properties: dict[str, object] = {}
        for declared in model.properties:
            if declared.is_key:
                continue
            try:
                properties[declared.name] = checked(declared, evaluate(declared.source, source), model)
            except NotSeen:
                if declared.name not in model.linked_by and not model.shared:  # another scope may have seen it
                    properties[declared.name] = None
            except InvalidRecord as error:
                self._reject(f"{model.label}.{declared.name}", str(error))
                if not declared.optional:
                    return None
                properties[declared.name] = None
        return properties

    def _keys(self, relationship: IdLink | Reference, source: Source, model: NodeModel) -> list[str] | None:
        """The keys of the other ends; None where they aren't seen, or aren't valid."""
        try:
            value = evaluate(relationship.keys, source)
            if value is None and _leads_through(relationship.keys, source.unseen):
                return None
            return keys_of(relationship, value, model)
        except NotSeen:
            return None
        except InvalidRecord as error:
            self._reject(f"{model.label} {relationship.type} {relationship.label}", str(error))
            return None

    def _reject(self, where: str, reason: str) -> None:
        self._rows.rejected.setdefault(where, reason)


def _leads_through(path: Value, names: frozenset[str]) -> bool:
    return isinstance(path, str) and any(step.removesuffix("[]") in names for step in path.split("."))


def _inside(outer: Source, element: object) -> Source:
    return replace(outer, item=element, parents=(outer.item, *outer.parents))


def evaluate(value: Value, source: Source) -> object:
    """The value at a path, or what a declaration's own function returns. Raises NotSeen, InvalidRecord."""
    try:
        result: object = at(value, source.item) if isinstance(value, str) else value(source)
    except _UNREADABLE as error:
        raise InvalidRecord(f"{text_of(value)}: {described(error)}") from error
    return result


def keys_of(relationship: IdLink | Reference, value: object, model: NodeModel) -> list[str]:
    """The keys of the other ends, each once. Raises InvalidRecord where there is something else."""
    keys: Iterable[object] = value if isinstance(value, list | tuple | set | frozenset) else (value,)
    present = [key for key in keys if key not in (None, "")]
    texts = [key for key in present if isinstance(key, str)]
    if len(texts) < len(present):
        raise InvalidRecord(f"{model.label}: {relationship.type} {relationship.label}: {present!r:.100} are not ids")
    for text in texts:
        check_index_size(f"{model.label}: {relationship.type} {relationship.label}", text)
    return list(dict.fromkeys(well_formed(key) for key in texts))
