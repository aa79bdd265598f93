"""Nodes by their ids, many in one call, with the connections within them: what fails within one costs only itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from loaders.model import NOT_SEEN
from tasks.clients.graphql_api import Document, GraphqlApi, may_ask_again, pages_of, pause
from tasks.clients.graphql_errors import TOO_LARGE, PartError, below
from tasks.clients.graphql_parts import NULL, Page, each_at, has_unseen, hides, marked, page_of, reason
from tasks.engine.concurrency import bounded
from tasks.failures import CallFailed, Failure
from tasks.resource import Gap, Item

NODES_IN_FLIGHT: Final = 5  # requests of one scope at a time: each is many things
_MANY: Final = 4  # that fail one by one, and none beside them is answered: it isn't them
_HIDDEN: Final = "hidden"  # begins the name of the part that stands for what a listing didn't show


@dataclass(frozen=True, slots=True)
class _Node:
    """What was told of one id.

    errors   of the node, and of parts of it
    gaps     what had to be left out
    failure  why nothing was told, though it was asked for alone, and again
    """

    id: str
    value: Any = None
    errors: tuple[PartError, ...] = ()
    gaps: tuple[Gap, ...] = ()
    failure: CallFailed | None = None

    @property
    def is_worth_asking_again(self) -> bool:
        return any(error.is_passing or error.is_too_large for error in self.errors)


@dataclass(frozen=True)
class ByIds:
    """Nodes by their ids, many in one call, in parts: what a single response to the whole list would never end with.

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
    def documents(self) -> tuple[Document, ...]:
        return (self.ids, self.document, *self.inner.values())

    @property
    def calls(self) -> tuple[str, ...]:
        return tuple(document.action for document in self.documents)

    @property
    def gaps(self) -> tuple[str, ...]:
        """The calls whose failure costs no more than a part of an item."""
        return tuple(document.action for document in self.inner.values())

    @property
    def made(self) -> Mapping[str, str]:
        further = {more.action: f"1 per further page of {path}" for path, more in self.inner.items()}
        return {self.ids.action: "1 per page", self.document.action: f"1 per {self.at_once} items", **further}

    def parts(self, api: GraphqlApi) -> AsyncIterator[str]:
        return self._planned(api)

    async def _planned(self, api: GraphqlApi) -> AsyncIterator[str]:
        """Parts of so many ids. What the list hides is a part as well, that always fails: without it the scope would be
        complete, and what is hidden be deleted.
        """
        waiting: list[str] = []
        hidden: list[CallFailed] = []
        async for page in pages_of(api, self.ids):
            hidden += page.hidden
            for element in page.elements:
                if not isinstance(id_ := element.value.get("id"), str) or not id_:
                    raise CallFailed(Failure.INVALID_RESPONSE, self.ids.action, "an item has no id")
                waiting.append(id_)
            while len(waiting) >= self.per_part:
                yield ",".join(waiting[: self.per_part])
                del waiting[: self.per_part]
        if waiting:
            yield ",".join(waiting)
        if hidden:
            found = hides(hidden, self.ids.action)
            yield f"{_HIDDEN}:{len(hidden)}:{found.failure}:{found.code}"

    async def items(self, api: GraphqlApi, part: str) -> AsyncIterator[Item]:
        if part.startswith(f"{_HIDDEN}:"):
            _, number, failure, code = part.split(":", 3)
            raise hides([CallFailed(Failure(failure), "", code, code=code)] * int(number), self.ids.action)
        ids = part.split(",")
        chunks = [ids[start : start + self.at_once] for start in range(0, len(ids), self.at_once)]
        async for items in bounded((self._read(api, chunk) for chunk in chunks), NODES_IN_FLIGHT):
            for item in items:
                yield item

    async def _read(self, api: GraphqlApi, ids: Sequence[str], tries: int = 0) -> list[Item]:
        """The items of these ids. Those with a part that failed in passing are asked for again, fewer at a time: what
        was too much for one response may not be too much for two.
        """
        nodes = await self._nodes(api, ids)
        again = [node.id for node in nodes if node.is_worth_asking_again] if may_ask_again(tries) else []
        items = [await self._item(api, node) for node in nodes if node.id not in again]
        if again:
            await pause(tries)
        half = -(-len(again) // 2)
        for some in (again[:half], again[half:]):
            items += await self._read(api, some, tries + 1) if some else []
        return items

    async def _nodes(self, api: GraphqlApi, ids: Sequence[str]) -> list[_Node]:
        """What takes the server too long, or is too much for it, is asked for in halves; one costs no other."""
        action = self.document.action
        try:
            told = await api.ask(self.document, ids=list(ids))
        except CallFailed as error:
            if error.failure is not Failure.TRANSIENT and error.code not in TOO_LARGE:
                raise
            if len(ids) == 1:
                return [_Node(ids[0], failure=error)]
            half = len(ids) // 2
            found = [*await self._nodes(api, ids[:half]), *await self._nodes(api, ids[half:])]
            if len(ids) >= _MANY and error.failure is Failure.TRANSIENT and all(node.failure for node in found):
                raise  # not for what was asked: the server answers nothing
            return found
        nodes = told.data.get("nodes")
        if not isinstance(nodes, list) or len(nodes) != len(ids):
            raise CallFailed(Failure.INVALID_RESPONSE, action, "the response has other nodes than were asked for")
        return [
            _Node(id_, node, below(told.errors, "nodes", number), told.gaps)
            for number, (id_, node) in enumerate(zip(ids, nodes, strict=True))
        ]

    async def _item(self, api: GraphqlApi, node: _Node) -> Item:
        """A node with all of its connections. What fails within it costs that part of it."""
        action = self.document.action
        if not isinstance(node.value, dict) or not node.value:
            null = CallFailed(Failure.DENIED, action, f"{node.id} is null", code=NULL)
            told = node.errors[0].failed(action) if node.errors else null
            return Item({"id": node.id}, failure=node.failure or told, key=node.id)
        left_out = node.gaps if node.gaps and has_unseen(node.value) else ()
        gaps = [*left_out, *marked(action, node.value, [e for e in node.errors if not self._is_inner(e)])]
        try:
            for path, more in self.inner.items():
                gaps += [gap async for gap in self._read_on(api, node, path, more)]
        except CallFailed as error:  # the node has gone meanwhile, or the credentials
            if error.failure is not Failure.NOT_FOUND:
                raise
            return Item({"id": node.id}, failure=error, key=node.id)
        return Item(node.value, tuple(dict.fromkeys(gaps)), key=node.id)

    def _is_inner(self, error: PartError) -> bool:
        return bool(error.path) and str(error.path[0]) in self.inner

    async def _read_on(self, api: GraphqlApi, node: _Node, path: str, more: Document) -> AsyncIterator[Gap]:
        """Every element of the connections at a path, in the place of their first pages; NOT_SEEN where not all are
        shown. Yields what isn't seen.
        """
        around, _, name = path.rpartition(".")
        for owner in each_at(around, node.value):
            if owner.get(name) is NOT_SEEN:
                continue
            errors = below(node.errors, name) if not around else ()
            try:
                first = page_of(self.document.action, owner.get(name), errors)
                pages = [first, *[page async for page in _further(api, owner, first, more)]]
                elements = [element for page in pages for element in page.elements]
                for why in (why for page in pages for why in page.hidden):
                    if why.code != NULL:
                        raise why
                    yield Gap(why.action, f"{path}: {NULL}")
            except CallFailed as error:
                if _ends_all(error) or (error.failure is Failure.NOT_FOUND and owner is node.value):
                    raise
                owner[name] = NOT_SEEN
                yield Gap(error.action, f"{path}: {reason(error)}")
            else:
                owner[name] = {**owner[name], first.key: [element.value for element in elements]}
                for element in elements:
                    for gap in element.gaps:
                        yield gap


async def _further(api: GraphqlApi, owner: Mapping[str, Any], first: Page, more: Document) -> AsyncIterator[Page]:
    """The pages after the first of a connection within a node."""
    if not first.has_next:
        return
    if not first.cursor or not owner.get("id"):
        raise CallFailed(Failure.INVALID_RESPONSE, more.action, "nothing says where the next page is")
    async for page in api.along(more, first.cursor, id=owner["id"]):
        yield page


def _ends_all(error: CallFailed) -> bool:
    """Does it say of the token that nothing more will be read with it?"""
    return error.failure in (Failure.THROTTLED, Failure.EXPIRED) or error.code.startswith("401")
