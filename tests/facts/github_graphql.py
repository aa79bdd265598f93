"""GitHub's published GraphQL schemas, reduced to what the documents ask for. To renew one, or after a document asks for
more:

    npm pack @octokit/graphql-schema@VERSION      # github.com: package/schema.graphql
    python -m tests.facts.github_graphql newest package/schema.graphql "@octokit/graphql-schema VERSION, DATE"

    # An Enterprise Server: https://docs.github.com/public/ghes-X.Y/schema.docs-enterprise.graphql
    python -m tests.facts.github_graphql server schema.docs-enterprise.graphql "GitHub Enterprise Server X.Y, DATE"

The diff says what changed for us. A field that is gone, or that may be null now, fails the tests that read these files.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Final

from graphql import (
    EnumTypeDefinitionNode,
    FieldNode,
    GraphQLInterfaceType,
    GraphQLSchema,
    InputObjectTypeDefinitionNode,
    InterfaceTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    build_schema,
    get_named_type,
    parse,
    print_ast,
    visit,
)

from tasks.clients.graphql_api import Document
from tasks.engine import registry

FOLDER: Final = Path(__file__).parent
FILES: Final = {name: FOLDER / f"github_graphql_{name}.graphql" for name in ("newest", "server")}


def documents() -> Iterator[Document]:
    """Those of all types of GitHub, each once."""
    yield from dict.fromkeys(one for type_ in registry.of("github") for one in type_.fetch.documents)  # type: ignore[attr-defined]


@cache
def schema(name: str) -> GraphQLSchema:
    return build_schema(FILES[name].read_text())


class Used(Visitor):
    """What documents name of a schema: the fields of each type with their arguments, and the types on the way."""

    def __init__(self, info: TypeInfo) -> None:
        super().__init__()
        self.info = info
        self.fields: dict[str, dict[str, set[str]]] = {}
        self.types: set[str] = set()

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        parent, output = self.info.get_parent_type(), self.info.get_type()
        assert parent
        assert output, f"{parent.name} has no field {node.name.value}"
        self.types.add(get_named_type(output).name)
        if node.name.value != "__typename":
            arguments = {argument.name.value for argument in node.arguments or ()}
            self.fields.setdefault(parent.name, {}).setdefault(node.name.value, set()).update(arguments)

    def enter_argument(self, *_: Any) -> None:
        if found := get_named_type(self.info.get_input_type()):
            self.types.add(found.name)

    enter_object_field = enter_argument


def used(full: GraphQLSchema) -> Used:
    info = TypeInfo(full)
    found = Used(info)
    for document in documents():
        visit(parse(document.text), TypeInfoVisitor(info, found))
    for name in found.types - set(found.fields):
        if isinstance(full.type_map[name], GraphQLInterfaceType):  # one that only fragments lead on from
            found.fields[name] = {"id": set()}
    return found


def reduced(text: str) -> str:
    """The schema with nothing that no document names."""
    found = used(build_schema(text, assume_valid_sdl=True))  # it isn't: GitHub's has fields that are defined twice
    kept = found.types | set(found.fields)
    definitions = parse(text, no_location=True).definitions
    return "\n\n".join(print_ast(_reduced(one, found)) for one in definitions if _name(one) in kept) + "\n"


def _name(definition: Any) -> str:
    return definition.name.value if getattr(definition, "name", None) else ""


def _reduced(definition: Any, found: Used) -> Any:
    if isinstance(definition, EnumTypeDefinitionNode):
        return _bare(definition, values=[_bare(value) for value in definition.values or ()])
    if isinstance(definition, InputObjectTypeDefinitionNode):
        return _bare(definition, fields=[_bare(one) for one in definition.fields or ()])
    if not isinstance(definition, ObjectTypeDefinitionNode | InterfaceTypeDefinitionNode):
        return _bare(definition)
    interfaces = [one for one in definition.interfaces or () if found.fields.get(one.name.value)]
    asked: dict[str, set[str]] = {}
    for name in (*(one.name.value for one in interfaces), definition.name.value):
        asked |= found.fields.get(name, {})
    fields = [_field(one, asked[one.name.value]) for one in definition.fields or () if one.name.value in asked]
    return _bare(definition, interfaces=interfaces, fields=fields)


def _field(definition: Any, arguments: set[str]) -> Any:
    return _bare(definition, arguments=[_bare(a) for a in definition.arguments or () if a.name.value in arguments])


def _bare(definition: Any, **changed: Sequence[Any]) -> Any:
    """Without what it says of itself, but that it will go."""
    deprecated = tuple(one for one in definition.directives or () if one.name.value == "deprecated")
    lists = {name: tuple(values) for name, values in changed.items()}
    described = {"description": None} if hasattr(definition, "description") else {}
    return replace(definition, directives=deprecated, **described, **lists)


def main(name: str, file: str, source: str) -> None:
    told = "Reduced to what the documents ask for by tests/facts/github_graphql.py, which says how to renew it."
    FILES[name].write_text(f"# {source}.\n# {told}\n\n" + reduced(Path(file).read_text()))


if __name__ == "__main__":
    main(*sys.argv[1:])
