"""The helper for providers with GraphQL: pages along a connection, many nodes by their ids, connections within them.

    MEMBERS = Document('''query Members($login: String!, $cursor: String) {
      organization(login: $login) { members(first: 100, after: $cursor) { nodes { ... } pageInfo { ... } } } }''',
                       connection="organization.members")
    ResourceType("hub.members", Per.TENANT, fetch=Connection(MEMBERS), yields=(HubMember,))

An action is the operation of a document: `POST /graphql Members`. Each connection that is read must have
`pageInfo { endCursor hasNextPage }`. Of what is null or has an error, `graphql_parts.py` says what it costs.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from loaders.model import at
from tasks.clients.graphql_api import Document, GraphqlApi, Told, missing, pages_of
from tasks.clients.graphql_by_ids import ByIds
from tasks.clients.graphql_errors import below, refusal
from tasks.clients.graphql_parts import hides, marked
from tasks.failures import CallFailed, Failure
from tasks.resource import Item

__all__ = ["ByIds", "Connection", "Document", "GraphqlApi", "OneThing", "refusal"]


@dataclass(frozen=True)
class Connection:
    """Every item of one connection; of `edges`, with what only the edge says."""

    document: Document
    name: str = "nodes"

    @property
    def documents(self) -> tuple[Document, ...]:
        return (self.document,)

    @property
    def calls(self) -> tuple[str, ...]:
        return (self.document.action,)

    @property
    def made(self) -> Mapping[str, str]:
        return {self.document.action: "1 per page"}

    def parts(self, api: GraphqlApi) -> None:
        return None

    async def items(self, api: GraphqlApi, part: str) -> AsyncIterator[Item]:
        hidden: list[CallFailed] = []
        async for page in pages_of(api, self.document):
            if page.key != self.name:
                raise CallFailed(Failure.INVALID_RESPONSE, self.document.action, f"the response has no {self.name}")
            for element in page.elements:
                yield Item(element.value, element.gaps)
            hidden += page.hidden
        if hidden:  # nobody knows which: whatever the scope holds beside what was seen may be these
            raise hides(hidden, self.document.action)


@dataclass(frozen=True)
class OneThing:
    """The one thing at a path of a response."""

    document: Document
    path: str

    @property
    def documents(self) -> tuple[Document, ...]:
        return (self.document,)

    @property
    def calls(self) -> tuple[str, ...]:
        return (self.document.action,)

    @property
    def made(self) -> Mapping[str, str]:
        return {self.document.action: "1"}

    def parts(self, api: GraphqlApi) -> None:
        return None

    async def items(self, api: GraphqlApi, part: str) -> AsyncIterator[Item]:
        try:
            yield await api.read(self.document, self._item)
        except CallFailed as error:
            raise missing(error) from None

    def _item(self, told: Told) -> Item:
        action = self.document.action
        found = at(self.path, told.data)
        if not isinstance(found, Mapping) or not found:
            raise CallFailed(Failure.INVALID_RESPONSE, action, f"the response has no {self.path}")
        return Item(found, (*told.gaps, *marked(action, found, below(told.errors, *self.path.split(".")))))
