"""GraphQL objects by their ids, many per call, with the connections within them. A failure costs its own object."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from loaders.model import NOT_SEEN
from tasks.clients.graphql_api import Document, GraphqlApi, listing_pages, may_retry, pause
from tasks.clients.graphql_errors import TOO_LARGE, PathError, errors_below
from tasks.clients.graphql_pages import NULL, Page, hidden_elements, page_of
from tasks.clients.graphql_unseen import has_unseen, mark_unseen, objects_at, reason
from tasks.engine.concurrency import bounded
from tasks.engine.parts import SEPARATOR, check_ids
from tasks.failures import CallFailed, Failure
from tasks.resource import Gap, Item

BATCHES_IN_FLIGHT: Final = 5  # requests of one scope at a time: each is many objects
_MANY: Final = 4  # if that many fail one by one, and no other succeeds, the server is down
_HIDDEN: Final = "hidden"  # begins the name of the part that stands for what a listing hides


@dataclass(frozen=True, slots=True)
class _Node:
    """The object of one id.

    errors   of the object, and of parts of it
    gaps     of fields that had to be removed from the query
    failure  why there is nothing, though it was requested alone, and again
    """

    id: str
    value: Any = None
    errors: tuple[PathError, ...] = ()
    gaps: tuple[Gap, ...] = ()
    failure: CallFailed | None = None

    @property
    def is_worth_a_retry(self) -> bool:
        return any(error.is_transient or error.is_too_large for error in self.errors)


@dataclass(frozen=True)
class ByIds:
    """Objects by their ids, many per call, in parts: one attempt for the whole list might never finish.

    ids         lists them; its nodes have an `id`
    document    takes `ids`, returns `nodes`, each with its `id`, null for one that is gone
    nested      connections within an object, by path; each with the document that reads on after the first page: it
                takes the `id` of the object that has the connection, and pages as any document does
    part_size   ids per part of a scope
    batch_size  ids per call
    """

    ids: Document
    document: Document
    nested: Mapping[str, Document] = field(default_factory=dict)
    part_size: int = 200
    batch_size: int = 20

    @property
    def documents(self) -> tuple[Document, ...]:
        return (self.ids, self.document, *self.nested.values())

    @property
    def calls(self) -> tuple[str, ...]:
        return tuple(document.action for document in self.documents)

    @property
    def gaps(self) -> tuple[str, ...]:
        """The calls whose failure costs no more than a part of an item."""
        return tuple(document.action for document in self.nested.values())

    @property
    def made(self) -> Mapping[str, str]:
        nested = {document.action: f"1 per further page of {path}" for path, document in self.nested.items()}
        return {self.ids.action: "1 per page", self.document.action: f"1 per {self.batch_size} items", **nested}

    def parts(self, api: GraphqlApi) -> AsyncIterator[str]:
        return self._parts(api)

    async def _parts(self, api: GraphqlApi) -> AsyncIterator[str]:
        """Parts of `part_size` ids. What the list hides is a part as well, one that always fails: without it the scope
        would be complete, and what is hidden would be deleted.
        """
        waiting: list[str] = []
        hidden: list[CallFailed] = []
        async for page in listing_pages(api, self.ids):
            hidden += page.hidden
            for element in page.elements:
                if not isinstance(id_ := element.value.get("id"), str) or not id_:
                    raise CallFailed(Failure.INVALID_RESPONSE, self.ids.action, "an item has no id")
                check_ids(self.ids.action, [id_])
                waiting.append(id_)
            while len(waiting) >= self.part_size:
                yield SEPARATOR.join(waiting[: self.part_size])
                del waiting[: self.part_size]
        if waiting:
            yield SEPARATOR.join(waiting)
        if hidden:
            error = hidden_elements(hidden, self.ids.action)
            yield f"{_HIDDEN}:{len(hidden)}:{error.failure}:{error.code}"

    async def items(self, api: GraphqlApi, part: str) -> AsyncIterator[Item]:
        if part.startswith(f"{_HIDDEN}:"):
            _, number, failure, code = part.split(":", 3)
            raise hidden_elements([CallFailed(Failure(failure), "", code, code=code)] * int(number), self.ids.action)
        ids = part.split(SEPARATOR)
        batches = [ids[start : start + self.batch_size] for start in range(0, len(ids), self.batch_size)]
        async for items in bounded((self._read(api, batch) for batch in batches), BATCHES_IN_FLIGHT):
            for item in items:
                yield item

    async def _read(self, api: GraphqlApi, ids: Sequence[str], retries: int = 0) -> list[Item]:
        """The items of these ids. Those with a transient error are requested again, fewer at a time: what was too much
        for one response may not be too much for two.
        """
        nodes = await self._nodes(api, ids)
        again = [node.id for node in nodes if node.is_worth_a_retry] if may_retry(retries) else []
        items = [await self._item(api, node) for node in nodes if node.id not in again]
        if again:
            await pause(retries)
        half = -(-len(again) // 2)
        for some in (again[:half], again[half:]):
            items += await self._read(api, some, retries + 1) if some else []
        return items

    async def _nodes(self, api: GraphqlApi, ids: Sequence[str]) -> list[_Node]:
        """What takes the server too long, or is too much for it, is requested in halves; one costs no other."""
        action = self.document.action
        try:
            result = await api.query(self.document, ids=list(ids))
        except CallFailed as error:
            if error.failure is not Failure.TRANSIENT and error.code not in TOO_LARGE:
                raise
            if len(ids) == 1:
                return [_Node(ids[0], failure=error)]
            half = len(ids) // 2
            halves = [*await self._nodes(api, ids[:half]), *await self._nodes(api, ids[half:])]
            if len(ids) >= _MANY and error.failure is Failure.TRANSIENT and all(node.failure for node in halves):
                raise  # the cause isn't what was requested: the server responds to nothing
            return halves
        nodes = result.data.get("nodes")
        if not isinstance(nodes, list) or len(nodes) != len(ids):
            raise CallFailed(Failure.INVALID_RESPONSE, action, "the response has other nodes than were requested")
        return [
            _Node(id_, node, errors_below(result.errors, "nodes", index), result.gaps)
            for index, (id_, node) in enumerate(zip(ids, nodes, strict=True))
        ]

    async def _item(self, api: GraphqlApi, node: _Node) -> Item:
        """An object with all of its connections. A failure within it costs that part of it."""
        action = self.document.action
        if not isinstance(node.value, dict) or not node.value:
            null = CallFailed(Failure.DENIED, action, f"{node.id} is null", code=NULL)
            error = node.errors[0].as_call_failed(action) if node.errors else null
            return Item({"id": node.id}, failure=node.failure or error, key=node.id)
        removed = node.gaps if node.gaps and has_unseen(node.value) else ()
        gaps = [*removed, *mark_unseen(action, node.value, [e for e in node.errors if not self._is_nested(e)])]
        try:
            for path, document in self.nested.items():
                gaps += [gap async for gap in self._read_nested(api, node, path, document)]
        except CallFailed as error:  # by now, the object or the credentials are gone
            if error.failure is not Failure.NOT_FOUND:
                raise
            return Item({"id": node.id}, failure=error, key=node.id)
        return Item(node.value, tuple(dict.fromkeys(gaps)), key=node.id)

    def _is_nested(self, error: PathError) -> bool:
        return bool(error.path) and str(error.path[0]) in self.nested

    async def _read_nested(self, api: GraphqlApi, node: _Node, path: str, document: Document) -> AsyncIterator[Gap]:
        """Replace the first pages of the connections at a path by all their elements; by NOT_SEEN if some are hidden.
        Yields the gaps.
        """
        around, _, name = path.rpartition(".")
        for owner in objects_at(around, node.value):
            if owner.get(name) is NOT_SEEN:
                continue
            errors = errors_below(node.errors, name) if not around else ()
            try:
                first = page_of(self.document.action, owner.get(name), errors)
                pages = [first, *[page async for page in _further_pages(api, owner, first, document)]]
                elements = [element for page in pages for element in page.elements]
                for hidden in (error for page in pages for error in page.hidden):
                    if hidden.code != NULL:
                        raise hidden
                    yield Gap(hidden.action, f"{path}: {NULL}")
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


async def _further_pages(
    api: GraphqlApi, owner: Mapping[str, Any], first: Page, document: Document
) -> AsyncIterator[Page]:
    """The pages after the first of a connection within an object."""
    if not first.has_next:
        return
    if not first.cursor or not owner.get("id"):
        raise CallFailed(Failure.INVALID_RESPONSE, document.action, "nothing says where the next page is")
    async for page in api.connection_pages(document, first.cursor, id=owner["id"]):
        yield page


def _ends_all(error: CallFailed) -> bool:
    """Whether nothing more can be read with this token."""
    return error.failure in (Failure.THROTTLED, Failure.EXPIRED) or error.code.startswith("401")
