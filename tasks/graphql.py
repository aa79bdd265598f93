"""The helper for providers with GraphQL: pages along a connection, many nodes by their ids, connections within them.

    MEMBERS = Document('''query Members($login: String!, $cursor: String) {
      organization(login: $login) { members(first: 100, after: $cursor) { nodes { ... } pageInfo { ... } } } }''',
                       connection="organization.members")
    ResourceType("hub.members", Per.TENANT, fetch=Connection(MEMBERS), yields=(HubMember,))

An action is the operation of a document: `POST /graphql Members`. Each connection that is read must have
`pageInfo { endCursor hasNextPage }`.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from loaders.model import at
from tasks.budgeted import Answer, Refusal
from tasks.failures import CallFailed, Failure
from tasks.http import HttpApi, by_status
from tasks.listing import bounded
from tasks.resource import Item

NODES_IN_FLIGHT: Final = 5  # requests of one scope at a time: each is many things

_CLASSES: Final[Mapping[str, Failure]] = {
    "NOT_FOUND": Failure.GONE,
    "FORBIDDEN": Failure.DENIED,
    "INSUFFICIENT_SCOPES": Failure.DENIED,
    "UNAUTHENTICATED": Failure.DENIED,
    "RATE_LIMITED": Failure.THROTTLED,
}
_LONGEST_REASON: Final = 200


@dataclass(frozen=True, slots=True)
class Document:
    """A query of one operation. `connection`: the path in its answer along which it pages, by the variable `cursor`."""

    text: str
    connection: str = ""

    @property
    def name(self) -> str:
        found = re.match(r"\s*query (\w+)", self.text)
        assert found, f"no query with a name: {self.text[:40]}"
        return found[1]

    @property
    def action(self) -> str:
        return f"POST /graphql {self.name}"


def refusal(answer: Answer) -> Refusal | None:
    """An answer with errors and nothing else is refused, whatever its status; one with data is for whoever asked."""
    if found := by_status(answer):
        return found
    body: Mapping[str, Any] = answer.body if isinstance(answer.body, Mapping) else {}
    errors = body.get("errors") or []
    if any(error.get("type") == "RATE_LIMITED" for error in errors):
        return Refusal(Failure.THROTTLED, "RATE_LIMITED", "no points are left")
    if not errors and isinstance(body.get("data"), Mapping):
        return None
    if not errors:
        return Refusal(Failure.BAD_ANSWER, "", "the answer has no data")
    whole = [error for error in errors if len(error.get("path") or ()) < 2]
    return _refused(whole[0]) if whole or not body.get("data") else None


def _refused(error: Mapping[str, Any]) -> Refusal:
    """What has no type is a query that GitHub and others gave up, for it took too long."""
    kind = error.get("type") or ""
    reason = str(error.get("message") or "answered with an error")[:_LONGEST_REASON]
    return Refusal(_CLASSES.get(kind, Failure.OTHER if kind else Failure.TRANSIENT), kind, reason)


@dataclass(kw_only=True)
class GraphqlApi(HttpApi):
    """`variables`: those that each document gets."""

    variables: Mapping[str, Any] = field(default_factory=dict)

    async def ask(self, document: Document, **variables: Any) -> tuple[Mapping[str, Any], list[Mapping[str, Any]]]:
        """The data, and the errors of single parts of it. Raises CallFailed, Later."""
        body = {
            "query": document.text,
            "operationName": document.name,
            "variables": {**self.variables, **variables},
        }
        answer = (await self.post(document.action, body)).body
        return answer["data"], answer.get("errors") or []

    async def along(
        self, document: Document, cursor: str | None = None, **variables: Any
    ) -> AsyncIterator[Mapping[str, Any]]:
        """The connection of a document, page by page. An error anywhere in it is raised: part of a list is no list."""
        seen = {cursor}
        while True:
            data, errors = await self.ask(document, cursor=cursor, **variables)
            if errors:
                raise failed(document, errors[0])
            page = at(document.connection, data)
            if not isinstance(page, Mapping) or "pageInfo" not in page:
                raise CallFailed(Failure.BAD_ANSWER, document.action, f"the answer has no {document.connection}")
            yield page
            if not page["pageInfo"]["hasNextPage"]:
                return
            cursor = page["pageInfo"]["endCursor"]
            if not cursor or cursor in seen:
                raise CallFailed(Failure.BAD_ANSWER, document.action, "the next page is one that was read before")
            seen.add(cursor)


def failed(document: Document, error: Mapping[str, Any]) -> CallFailed:
    refused = _refused(error)
    return CallFailed(refused.failure, document.action, refused.reason, code=refused.code)


def listed(page: Mapping[str, Any], document: Document, name: str) -> Sequence[Any]:
    """What a page lists. Raises CallFailed where the list isn't there."""
    found = page.get(name)
    if not isinstance(found, list):
        raise CallFailed(Failure.BAD_ANSWER, document.action, f"the answer has no {document.connection}.{name}")
    return found


@dataclass(frozen=True)
class Connection:
    """Every item of one connection; of `edges`, with what only the edge says."""

    document: Document
    name: str = "nodes"

    @property
    def calls(self) -> tuple[str, ...]:
        return (self.document.action,)

    @property
    def made(self) -> Mapping[str, str]:
        return {self.document.action: "1 per page"}

    def parts(self, api: GraphqlApi) -> None:
        return None

    async def items(self, api: GraphqlApi, part: str) -> AsyncIterator[Item]:
        async for page in api.along(self.document):
            for one in listed(page, self.document, self.name):
                yield Item(one)


@dataclass(frozen=True)
class OneThing:
    """The one thing at a path of an answer."""

    document: Document
    path: str

    @property
    def calls(self) -> tuple[str, ...]:
        return (self.document.action,)

    @property
    def made(self) -> Mapping[str, str]:
        return {self.document.action: "1"}

    def parts(self, api: GraphqlApi) -> None:
        return None

    async def items(self, api: GraphqlApi, part: str) -> AsyncIterator[Item]:
        data, errors = await api.ask(self.document)
        found = at(self.path, data)
        if errors or found is None:
            raise failed(self.document, errors[0] if errors else {"type": "NOT_FOUND", "message": f"no {self.path}"})
        yield Item(found)


@dataclass(frozen=True)
class ByIds:
    """Nodes by their ids, many in one call, in parts: what a single answer to the whole list would never end with.

    ids       lists them; its nodes have an `id`
    document  takes `ids`, answers with `nodes`, each with its `id`, null for one that is gone
    inner     connections within a node, by path; each with the document that reads on where the first page ends: it
              takes the `id` of what has the connection, and pages as any document does
    """

    ids: Document
    document: Document
    inner: Mapping[str, Document] = field(default_factory=dict)
    per_part: int = 200
    at_once: int = 20

    @property
    def calls(self) -> tuple[str, ...]:
        return (self.ids.action, self.document.action, *(more.action for more in self.inner.values()))

    @property
    def made(self) -> Mapping[str, str]:
        further = {more.action: f"1 per further page of {path}" for path, more in self.inner.items()}
        return {self.ids.action: "1 per page", self.document.action: f"1 per {self.at_once} items", **further}

    def parts(self, api: GraphqlApi) -> AsyncIterator[str]:
        return self._planned(api)

    async def _planned(self, api: GraphqlApi) -> AsyncIterator[str]:
        waiting: list[str] = []
        async for page in api.along(self.ids):
            waiting += [one["id"] for one in listed(page, self.ids, "nodes")]
            while len(waiting) >= self.per_part:
                yield ",".join(waiting[: self.per_part])
                del waiting[: self.per_part]
        if waiting:
            yield ",".join(waiting)

    async def items(self, api: GraphqlApi, part: str) -> AsyncIterator[Item]:
        ids = part.split(",")
        chunks = [ids[start : start + self.at_once] for start in range(0, len(ids), self.at_once)]
        async for items in bounded((self._read(api, chunk) for chunk in chunks), NODES_IN_FLIGHT):
            for item in items:
                yield item

    async def _read(self, api: GraphqlApi, ids: list[str]) -> list[Item]:
        """The nodes of these ids. What takes the server too long is asked for in halves."""
        try:
            data, errors = await api.ask(self.document, ids=ids)
        except CallFailed as error:
            if error.failure is not Failure.TRANSIENT or len(ids) == 1:
                raise
            half = len(ids) // 2
            return [*await self._read(api, ids[:half]), *await self._read(api, ids[half:])]
        nodes = data.get("nodes")
        if not isinstance(nodes, list) or len(nodes) != len(ids):
            raise CallFailed(Failure.BAD_ANSWER, self.document.action, "the answer has other nodes than were asked for")
        wrong = {ids[error["path"][1]]: error for error in errors if error["path"][0] == "nodes"}
        return [await self._item(api, id_, node, wrong.get(id_)) for id_, node in zip(ids, nodes, strict=True)]

    async def _item(
        self, api: GraphqlApi, id_: str, node: dict[str, Any] | None, error: Mapping[str, Any] | None
    ) -> Item:
        """A node with all of its connections; what is null is gone, and an error within it fails it alone."""
        if error is not None:
            return Item({"id": id_}, failure=failed(self.document, error))
        if node is None:
            gone = CallFailed(Failure.GONE, self.document.action, f"{id_} is gone", code="NOT_FOUND")
            return Item({"id": id_}, failure=gone)
        try:
            for path, more in self.inner.items():
                await _read_on(api, node, path, more)
        except CallFailed as failure:
            return Item({"id": id_}, failure=failure)
        return Item(node)


async def _read_on(api: GraphqlApi, node: dict[str, Any], path: str, more: Document) -> None:
    """Append the further pages of the connections at a path to their first."""
    around, _, name = path.rpartition(".")
    found = at(around, node) if around else node
    for owner in found if isinstance(found, list) else [found]:
        connection = owner[name]
        if connection is None:  # not shown to this token: that isn't none
            raise CallFailed(Failure.DENIED, more.action, f"{path} is not shown", code="FORBIDDEN")
        if not connection["pageInfo"]["hasNextPage"]:
            continue
        key = "edges" if "edges" in connection else "nodes"
        async for page in api.along(more, connection["pageInfo"]["endCursor"], id=owner["id"]):
            connection[key] += listed(page, more, key)
