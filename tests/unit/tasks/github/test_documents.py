"""What is asked of GitHub, against the schemas that it publishes: of today, and of its own servers."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
from graphql import FieldNode, TypeInfo, TypeInfoVisitor, Visitor, parse, validate, visit

from tasks.clients.graphql_api import Document
from tasks.engine import registry
from tasks.github import scopes
from tests.facts import github_graphql

DOCUMENTS = tuple(github_graphql.documents())
every_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
every_schema = pytest.mark.parametrize("schema", github_graphql.FILES)

# What GitHub asks of a classic token: of a type's field, or of a type, whichever of its fields is read.
REQUIRED = {
    "User.email": "user:email",
    "Query.organization": "read:org",
    "Organization": "read:org",
    "Team": "read:org",
    "Repository": "repo",
    "DependencyGraphManifest": "repo",
}
# Of these, whoever sees them in a repository or a team has what it takes: they say where it is, or whose.
OF_ANYTHING = {"id", "url", "login", "name", "slug", "description"}


@every_schema
@every_document
def test_the_schema_has_what_a_document_asks_for(document: Document, schema: str) -> None:
    errors = validate(github_graphql.schema(schema), parse(document.text))
    assert not errors, f"renew {github_graphql.FILES[schema].name} if the document is right"


@every_document
def test_nothing_is_asked_for_that_will_go(document: Document) -> None:
    schema = github_graphql.schema("newest")
    assert not [
        f"{of}.{name}" for of, name in asked(document) if cast(Any, schema.type_map[of]).fields[name].deprecation_reason
    ]


@every_document
def test_its_scopes_follow_from_its_fields(document: Document) -> None:
    needed = {REQUIRED[key] for of, name in asked(document) for key in (f"{of}.{name}", of) if key in REQUIRED}
    without = {REQUIRED[of] for of, name in asked(document) if of in REQUIRED and name in OF_ANYTHING}
    found = set(scopes.least(document.text))
    assert found <= needed
    assert needed - without <= found


@every_document
def test_a_field_with_a_scope_of_its_own_may_be_left_out(document: Document) -> None:
    assert ("User", "email") not in asked(document) or "email" in document.optional
    left_out = document.without(frozenset(document.optional))
    assert not {name for _, name in asked(Document(left_out))} & set(document.optional)
    assert not validate(github_graphql.schema("newest"), parse(left_out))


def test_what_the_documentation_says_is_what_is_needed() -> None:
    needed = {scope for document in DOCUMENTS for scope in scopes.least(document.text)}
    assert needed == {"read:org", "repo", "user:email"}
    described = {
        scope.strip()
        for type_ in registry.of("github")
        for call in registry.providers()["github"].calls(type_.fetch)
        for scope in (call.permission or "").split(",")
    }
    assert described == needed
    told = Path(__file__).parents[4].joinpath("docs", "providers.md").read_text()
    assert f"needs the scopes {shown('repo')}, {shown('read:org')} and {shown('user:email')} (or `read:user`)" in told


def shown(scope: str) -> str:
    return f"`{scope}`"


def asked(document: Document) -> set[tuple[str, str]]:
    """(type, field)"""
    info = TypeInfo(github_graphql.schema("newest"))
    found: set[tuple[str, str]] = set()

    class Fields(Visitor):
        def enter_field(self, node: FieldNode, *_: object) -> None:
            if (parent := info.get_parent_type()) and node.name.value != "__typename":
                found.add((parent.name, node.name.value))

    visit(parse(document.text), TypeInfoVisitor(info, Fields()))
    return found
