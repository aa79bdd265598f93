"""Where a response to a document may be null, as GitHub's published schema says it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from graphql import (
    FieldNode,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    get_named_type,
    is_list_type,
    is_non_null_type,
    parse,
)

Path = tuple[str | int, ...]


def nullable(text: str, data: Any, schema: GraphQLSchema) -> Iterator[Path]:
    """The path of everything in these data that may be null instead."""
    [operation] = [one for one in parse(text).definitions if isinstance(one, OperationDefinitionNode)]
    yield from _of_object(operation.selection_set, schema.query_type, data, (), schema)


def _of_object(selection: Any, parent: Any, value: Any, path: Path, schema: GraphQLSchema) -> Iterator[Path]:
    for one in selection.selections:
        if isinstance(one, InlineFragmentNode):
            assert one.type_condition
            named = one.type_condition.name.value
            if value.get("__typename", named) == named:
                yield from _of_object(one.selection_set, schema.type_map[named], value, path, schema)
        elif isinstance(one, FieldNode) and one.name.value != "__typename":
            name = (one.alias or one.name).value
            if name in value:
                type_ = parent.fields[one.name.value].type
                yield from _of_value(one.selection_set, type_, value[name], (*path, name), schema)


def _of_value(selection: Any, type_: Any, value: Any, path: Path, schema: GraphQLSchema) -> Iterator[Path]:
    if is_non_null_type(type_):
        type_ = type_.of_type
    else:
        yield path
    if value is None:
        return
    if is_list_type(type_):
        for number, element in enumerate(value):
            yield from _of_value(selection, type_.of_type, element, (*path, number), schema)
    elif selection:
        yield from _of_object(selection, get_named_type(type_), value, path, schema)
