"""Fetches from GraphQL APIs: every item of a connection, or one object.

    MEMBERS = Document('''query Members($login: String!, $cursor: String) {
      organization(login: $login) { members(first: 100, after: $cursor) { nodes { ... } pageInfo { ... } } } }''',
                       connection="organization.members")
    ResourceType("hub.members", Per.TENANT, fetch=Connection(MEMBERS), yields=(HubMember,))

An action is the operation of a document: `POST /graphql Members`. Each connection must have
`pageInfo { endCursor hasNextPage }`. A null or an error costs only the part of the data that it is in. Many objects by
their ids: `graphql_by_ids.py`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from loaders.model import at
from tasks.clients.graphql_api import Document, GraphqlApi, QueryResult, listing_pages, not_visible
from tasks.clients.graphql_errors import errors_below
from tasks.clients.graphql_pages import hidden_elements
from tasks.clients.graphql_unseen import mark_unseen
from tasks.failures import CallFailed, Failure
from tasks.resource import Item


@dataclass(frozen=True)
class _OneDocument:
    """A fetch of a single document, read as a whole."""

    document: Document

    @property
    def documents(self) -> tuple[Document, ...]:
        return (self.document,)

    @property
    def calls(self) -> tuple[str, ...]:
        return (self.document.action,)

    def parts(self, api: GraphqlApi) -> None:
        return None


@dataclass(frozen=True)
class Connection(_OneDocument):
    """Every item of one connection. `name`: `nodes`; or `edges`, with what only the edge has."""

    name: str = "nodes"

    @property
    def made(self) -> Mapping[str, str]:
        return {self.document.action: "1 per page"}

    async def items(self, api: GraphqlApi, part: str) -> AsyncIterator[Item]:
        hidden: list[CallFailed] = []
        async for page in listing_pages(api, self.document):
            if page.key != self.name:
                raise CallFailed(Failure.INVALID_RESPONSE, self.document.action, f"the response has no {self.name}")
            for element in page.elements:
                yield Item(element.value, element.gaps)
            hidden += page.hidden
        if hidden:  # anything else that the graph holds of this scope may be one of these
            raise hidden_elements(hidden, self.document.action)


@dataclass(frozen=True)
class SingleObject(_OneDocument):
    """The one object at a path of a response."""

    path: str

    @property
    def made(self) -> Mapping[str, str]:
        return {self.document.action: "1"}

    async def items(self, api: GraphqlApi, part: str) -> AsyncIterator[Item]:
        try:
            yield await api.read(self.document, self._item)
        except CallFailed as error:
            raise not_visible(error) from None

    def _item(self, result: QueryResult) -> Item:
        action = self.document.action
        value = at(self.path, result.data)
        if not isinstance(value, Mapping) or not value:
            raise CallFailed(Failure.INVALID_RESPONSE, action, f"the response has no {self.path}")
        errors = errors_below(result.errors, *self.path.split("."))
        return Item(value, (*result.gaps, *mark_unseen(action, value, errors)))
