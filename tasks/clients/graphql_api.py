"""A GraphQL API: documents, their data with the errors of single parts, and the pages of a connection."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from tasks.clients.graphql_errors import PartError, below, fields_without_scope, part_errors
from tasks.clients.graphql_parts import Page, page_of, taken_with, unseen
from tasks.clients.http import HttpApi
from tasks.failures import CallFailed, Failure
from tasks.resource import Gap

T = TypeVar("T")

# What fails in passing is asked for again after about so many seconds. Then it is told as not seen.
AGAIN_AFTER_SECONDS: Final = (1.0, 3.0, 9.0)


@dataclass(frozen=True, slots=True)
class Document:
    """A query of one operation.

    connection  the path in its response along which it pages, by the variable `cursor`
    optional    fields that are left out where the token lacks a scope for them: the rest is worth having
    """

    text: str
    connection: str = ""
    optional: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        found = re.match(r"\s*query (\w+)", self.text)
        assert found, f"no query with a name: {self.text[:40]}"
        return found[1]

    @property
    def action(self) -> str:
        return f"POST /graphql {self.name}"

    def without(self, fields: frozenset[str]) -> str:
        """The text with something in the place of these fields that every token may read."""
        text = self.text
        for name in fields:
            text = re.sub(rf"(?<![\w$.]){name}\b(?!\s*[:({{])", f"{name}: __typename", text)
        return text


@dataclass(frozen=True, slots=True)
class Told:
    """The data of a document, the errors of single parts of them, and what had to be left out."""

    data: Mapping[str, Any]
    errors: tuple[PartError, ...] = ()
    gaps: tuple[Gap, ...] = ()


@dataclass(kw_only=True)
class GraphqlApi(HttpApi):
    """`variables`: those that each document gets. `left_out`: fields that this token may not read, and why."""

    variables: Mapping[str, Any] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    async def ask(self, document: Document, **variables: Any) -> Told:
        """Raises CallFailed, Later. A field that the token lacks a scope for is left out where the document says so."""
        while True:
            fields = frozenset(document.optional) & frozenset(self.left_out)
            try:
                told = await self._ask_without(document, fields, variables)
            except CallFailed as error:
                refused = fields_without_scope(error)
                if not refused or not refused <= frozenset(document.optional) or refused <= fields:
                    raise
                self.left_out |= dict.fromkeys(refused, error.code)
                continue
            if taken := taken_with(told.data, told.errors, document.optional):
                self.left_out |= {name: code for name, code in taken.items() if name not in fields}
                if not taken.keys() <= fields:
                    continue
            gaps = tuple(Gap(document.action, f"{name}: {self.left_out[name]}") for name in sorted(fields))
            return Told(unseen(told.data, fields) if fields else told.data, told.errors, gaps)

    async def _ask_without(self, document: Document, fields: frozenset[str], variables: Mapping[str, Any]) -> Told:
        body = {
            "query": document.without(fields),
            "operationName": document.name,
            "variables": {**self.variables, **variables},
        }
        response = (await self.post(document.action, body)).body
        return Told(response["data"], part_errors(response))

    async def along(self, document: Document, cursor: str | None = None, **variables: Any) -> AsyncIterator[Page]:
        """The connection of a document, page by page. Raises CallFailed, Later."""
        seen = {cursor}
        while True:
            page = await self._page(document, {**variables, "cursor": cursor})
            yield page
            if not page.has_next:
                return
            cursor = page.cursor
            if not cursor or cursor in seen:
                raise CallFailed(Failure.INVALID_RESPONSE, document.action, "the next page is one that was read before")
            seen.add(cursor)

    async def _page(self, document: Document, variables: Mapping[str, Any]) -> Page:
        return await self.read(document, lambda told: _page_at(document, told), **variables)

    async def read(self, document: Document, make: Callable[[Told], T], **variables: Any) -> T:
        """What `make` makes of the response. Asked for again where a part of it failed in passing, and once where what
        `make` looks for isn't there: the server may have had no time for it. Raises CallFailed, Later.
        """
        tries = 0
        while True:
            told = await self.ask(document, **variables)
            try:
                made = make(told)
            except CallFailed as error:
                if tries >= _max_attempts(error.failure):
                    raise
            else:
                if not may_ask_again(tries) or not any(error.is_passing for error in told.errors):
                    return made
            await pause(tries)
            tries += 1


def _max_attempts(failure: Failure) -> int:
    return {Failure.TRANSIENT: len(AGAIN_AFTER_SECONDS), Failure.INVALID_RESPONSE: 1}.get(failure, 0)


def missing(error: CallFailed) -> CallFailed:
    """Why what everything hangs on isn't there. GitHub says "not found" of what a token may not see as well."""
    if error.failure is not Failure.NOT_FOUND:
        return error
    told = "there is no such thing, or the token may not see it"
    return CallFailed(Failure.DENIED, error.action, f"{error.reason}: {told}", code=f"{error.code} ({told})")


async def pages_of(api: GraphqlApi, document: Document) -> AsyncIterator[Page]:
    """The pages of what a scope lists. Raises CallFailed, Later."""
    try:
        async for page in api.along(document):
            yield page
    except CallFailed as error:
        raise missing(error) from None


def may_ask_again(tries: int) -> bool:
    return tries < len(AGAIN_AFTER_SECONDS)


async def pause(tries: int) -> None:
    await asyncio.sleep(random.uniform(0.5, 1.0) * AGAIN_AFTER_SECONDS[tries])  # noqa: S311  # jitter, no secret


def _page_at(document: Document, told: Told) -> Page:
    """The page that the document's connection is. Raises CallFailed where it isn't there, or isn't one."""
    steps = document.connection.split(".")
    found: Any = told.data
    for number, step in enumerate(steps, start=1):
        found = found.get(step) if isinstance(found, Mapping) else None
        if found is None:
            why = next(iter(below(told.errors, *steps[:number])), None)  # an error further down may have emptied it
            absent = CallFailed(
                Failure.INVALID_RESPONSE, document.action, f"the response has no {'.'.join(steps[:number])}"
            )
            raise why.failed(document.action) if why else absent
    return page_of(document.action, found, below(told.errors, *steps), told.gaps)
