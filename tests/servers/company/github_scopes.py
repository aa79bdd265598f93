"""What GitHub refuses a classic token, field by field: the whole query, before anything of it is answered.

https://docs.github.com/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps, and GitHub's own messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from graphql import (
    DocumentNode,
    FieldNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    parse,
    validate,
    visit,
)

from tests.facts import github_graphql

# By type, or type and field: any one of these.
REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {
    "User.email": ("user:email", "read:user"),
    "Organization": ("read:org",),
    "Team": ("read:org",),
    "Repository": ("repo",),
    "DependencyGraphManifest": ("repo",),
}
# A scope of the right has those of the left in it.
PART_OF: Final = {"user:email": "user", "read:user": "user", "read:org": "write:org", "write:org": "admin:org"}


def refused(query: str, scopes: frozenset[str]) -> dict[str, Any] | None:
    """The response to a query with something wrong in it, or with a field that needs a scope beyond these."""
    if invalid := problems(query):
        return {"errors": [{"message": one, "extensions": {"code": "undefinedField"}} for one in invalid]}
    held = with_parts(scopes)
    lacking = {name: needed for name, needed in required(query).items() if not held & set(needed)}
    if not lacking:
        return None
    return {"data": None, "errors": [error(name, needed, scopes) for name, needed in lacking.items()]}


def error(name: str, needed: tuple[str, ...], scopes: frozenset[str]) -> dict[str, Any]:
    told = f"The '{name}' field requires one of the following scopes: {list(needed)}"
    held = f"but your token has only been granted the: {sorted(scopes)} scopes."
    lacks = "Your token has not been granted the required scopes to execute this query."
    return {
        "type": "INSUFFICIENT_SCOPES",
        "locations": [{"line": 1, "column": 1}],
        "message": f"{lacks} {told}, {held}",
    }


def with_parts(scopes: frozenset[str]) -> set[str]:
    found = set(scopes)
    for _ in PART_OF:
        found |= {part for part, whole in PART_OF.items() if whole in found}
    return found


@cache
def problems(query: str) -> tuple[str, ...]:
    return tuple(one.message for one in validate(github_graphql.schema("newest"), parse(query)))


@cache
def required(query: str) -> Mapping[str, tuple[str, ...]]:
    """What a query needs: by field, as GitHub names it."""
    info = TypeInfo(github_graphql.schema("newest"))
    found: dict[str, tuple[str, ...]] = {}

    class Fields(Visitor):
        def enter_field(self, node: FieldNode, *_: object) -> None:
            parent, name = info.get_parent_type(), node.name.value
            if parent and name != "__typename":
                needed = REQUIRED.get(f"{parent.name}.{name}") or REQUIRED.get(parent.name)
                found.update({name: needed} if needed else {})

    visit(parse(query), TypeInfoVisitor(info, Fields()))
    return found


def projected(query: str, data: Any) -> Any:
    """Of these data what the query asks for, and no more."""
    [operation] = [one for one in parsed(query).definitions if isinstance(one, OperationDefinitionNode)]
    return _selected(operation.selection_set, data)


@cache
def parsed(query: str) -> DocumentNode:
    return parse(query)


def _selected(selection: SelectionSetNode | None, value: Any) -> Any:
    if isinstance(value, list):
        return [_selected(selection, one) for one in value]
    if selection is None or not isinstance(value, dict):
        return value
    found: dict[str, Any] = {}
    for one in selection.selections:
        if isinstance(one, InlineFragmentNode) and one.type_condition:
            named = one.type_condition.name.value
            found |= _selected(one.selection_set, value) if value.get("__typename", named) == named else {}
        elif isinstance(one, FieldNode):
            name = (one.alias or one.name).value
            told = value.get("__typename", "User") if one.name.value == "__typename" else value.get(name)
            found[name] = _selected(one.selection_set, told)
    return found
