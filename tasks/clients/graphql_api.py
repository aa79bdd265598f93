"""A GraphQL API: documents, their data with the errors in them, and the pages of a connection."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from tasks.clients.graphql_errors import PathError, errors_below, errors_of, fields_without_scope
from tasks.clients.graphql_pages import Page, page_of
from tasks.clients.graphql_unseen import denied_with_parent, fields_unseen
from tasks.clients.http import HttpApi
from tasks.clients.page_limits import PageLimits
from tasks.failures import CallFailed, Failure
from tasks.resource import Gap

T = TypeVar("T")

# About how long to wait before a query is repeated for the parts that failed transiently; then they are gaps.
RETRY_SECONDS: Final = (1.0, 3.0, 9.0)


@dataclass(frozen=True, slots=True)
class Document:
    """A query with one operation.

    connection  the path in its response along which it pages, by the variable `cursor`
    optional    fields that are removed from the query if the token lacks a scope for them: the rest is worth having
    """

    text: str
    connection: str = ""
    optional: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        match = re.match(r"\s*query (\w+)", self.text)
        assert match, f"not a query with a name: {self.text[:40]}"
        return match[1]

    @property
    def action(self) -> str:
        return f"POST /graphql {self.name}"

    def without(self, fields: frozenset[str]) -> str:
        """The text with `__typename`, which every token may read, in the place of these fields."""
        text = self.text
        for name in fields:
            text = re.sub(rf"(?<![\w$.]){name}\b(?!\s*[:({{])", f"{name}: __typename", text)
        return text


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The data of a document, the errors in them, and the gaps of fields that were removed from the query."""

    data: Mapping[str, Any]
    errors: tuple[PathError, ...] = ()
    gaps: tuple[Gap, ...] = ()


@dataclass(kw_only=True)
class GraphqlApi(HttpApi):
    """A GraphQL API for one tenant.

    variables      those that each document gets
    denied_fields  optional fields that this token may not read, with the code of the error
    """

    variables: Mapping[str, Any] = field(default_factory=dict)
    denied_fields: dict[str, str] = field(default_factory=dict)

    async def query(self, document: Document, **variables: Any) -> QueryResult:
        """The result of a document, without those of its optional fields that are denied.

        Raises CallFailed, RetryLater.
        """
        while True:
            removed = frozenset(document.optional) & frozenset(self.denied_fields)
            try:
                result = await self._query_without(document, removed, variables)
            except CallFailed as error:
                refused = fields_without_scope(error)
                if not refused or not refused <= frozenset(document.optional) or refused <= removed:
                    raise
                self.denied_fields |= dict.fromkeys(refused, error.code)
                continue
            if denied := denied_with_parent(result.data, result.errors, document.optional):
                self.denied_fields |= {name: code for name, code in denied.items() if name not in removed}
                if not denied.keys() <= removed:
                    continue
            gaps = tuple(Gap(document.action, f"{name}: {self.denied_fields[name]}") for name in sorted(removed))
            return QueryResult(fields_unseen(result.data, removed) if removed else result.data, result.errors, gaps)

    async def _query_without(
        self, document: Document, removed: frozenset[str], variables: Mapping[str, Any]
    ) -> QueryResult:
        body = {
            "query": document.without(removed),
            "operationName": document.name,
            "variables": {**self.variables, **variables},
        }
        response = (await self.post(document.action, body)).body
        return QueryResult(response["data"], errors_of(response))

    async def connection_pages(
        self, document: Document, cursor: str | None = None, **variables: Any
    ) -> AsyncIterator[Page]:
        """The connection of a document, page by page. Raises CallFailed, RetryLater."""
        seen, limits = {cursor}, PageLimits(document.action)
        while True:
            page = await self.read(document, lambda result: _page_at(document, result), **variables, cursor=cursor)
            limits.check([element.value for element in page.elements] + page.hidden)
            yield page
            if not page.has_next:
                return
            cursor = page.cursor
            if not cursor or cursor in seen:
                raise CallFailed(Failure.INVALID_RESPONSE, document.action, "the next page is one that was read before")
            seen.add(cursor)

    async def read(self, document: Document, parse: Callable[[QueryResult], T], **variables: Any) -> T:
        """What `parse` makes of the result. Raises CallFailed, RetryLater.

        The query is repeated if parts of it failed transiently, and once if `parse` doesn't find what it looks for: the
        server may have run out of time.
        """
        retries = 0
        while True:
            result = await self.query(document, **variables)
            try:
                parsed = parse(result)
            except CallFailed as error:
                if retries >= _max_retries(error.failure):
                    raise
            else:
                if not may_retry(retries) or not any(error.is_transient for error in result.errors):
                    return parsed
            await pause(retries)
            retries += 1


def _max_retries(failure: Failure) -> int:
    return {Failure.TRANSIENT: len(RETRY_SECONDS), Failure.INVALID_RESPONSE: 1}.get(failure, 0)


def not_visible(error: CallFailed) -> CallFailed:
    """The error of the object that contains all else. GitHub also says "not found" if a token may not see it."""
    if error.failure is not Failure.NOT_FOUND:
        return error
    why = "it doesn't exist, or the token may not see it"
    return CallFailed(Failure.DENIED, error.action, f"{error.reason}: {why}", code=f"{error.code} ({why})")


async def listing_pages(api: GraphqlApi, document: Document) -> AsyncIterator[Page]:
    """The pages of a scope's own listing. Raises CallFailed, RetryLater."""
    try:
        async for page in api.connection_pages(document):
            yield page
    except CallFailed as error:
        raise not_visible(error) from None


def may_retry(retries: int) -> bool:
    return retries < len(RETRY_SECONDS)


async def pause(retries: int) -> None:
    await asyncio.sleep(random.uniform(0.5, 1.0) * RETRY_SECONDS[retries])  # noqa: S311  # jitter, not a secret


def _page_at(document: Document, result: QueryResult) -> Page:
    """The page of the document's connection. Raises CallFailed if it isn't there, or isn't one."""
    steps = document.connection.split(".")
    value: Any = result.data
    for depth, step in enumerate(steps, start=1):
        value = value.get(step) if isinstance(value, Mapping) else None
        if value is None:
            path = steps[:depth]
            for error in errors_below(result.errors, *path):  # one further down may have made this null
                raise error.as_call_failed(document.action)
            raise CallFailed(Failure.INVALID_RESPONSE, document.action, f"the response has no {'.'.join(path)}")
    return page_of(document.action, value, errors_below(result.errors, *steps), result.gaps)
