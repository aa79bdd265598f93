"""A server that always names another page ends its scope, not the worker's patience."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest

from tasks.clients.graphql_api import Document, GraphqlApi
from tasks.clients.http import HttpApi, HttpService
from tasks.clients.local_rate_limiter import LocalRateLimiter
from tasks.clients.page_limits import MAX_EMPTY_PAGES, MAX_EQUAL_PAGES, MAX_PAGES, PageLimits
from tasks.clients.paginators import Cursor
from tasks.clients.rate_limiter import RateLimit
from tasks.failures import CallFailed, Failure
from tasks.resource import Tenant
from tests.servers.json_api import Asked, JsonApi, Reply

FAST = HttpService(
    limit=lambda action: ("all", RateLimit(initial=1e6, maximum=1e6)),
    in_flight=5,
    paginator=Cursor("next", "after"),
    items_path="items",
)


def test_empty_pages_with_ever_new_tokens_end_the_scope() -> None:
    limits = PageLimits("toy:List")
    for number in range(MAX_EMPTY_PAGES):
        limits.check({"items": [], "next": f"token {number}"})
    with pytest.raises(CallFailed, match="1,000 pages in a row without an item") as caught:
        limits.check({"items": [], "next": "another"})
    assert caught.value.failure is Failure.INVALID_RESPONSE


def test_the_same_page_under_ever_new_tokens_ends_the_scope() -> None:
    """The server doesn't read the token that it asks for."""
    with JsonApi({"GET /things": with_new_token([{"id": "1"}])}) as server:
        with pytest.raises(CallFailed, match="3 pages in a row are the same"):
            asyncio.run(read(server, "GET /things"))
        assert server.counts["GET /things"] == MAX_EQUAL_PAGES + 1


def test_a_connection_that_never_ends_ends_the_scope() -> None:
    cursors = itertools.count()

    def route(asked: Asked) -> Reply:
        info = {"hasNextPage": True, "endCursor": str(next(cursors))}
        return Reply({"data": {"things": {"nodes": [{"id": "1"}], "pageInfo": info}}})

    async def pages(url: str) -> None:
        document = Document(
            "query Things($cursor: String) { things(after: $cursor) { nodes { id } } }", connection="things"
        )
        api = GraphqlApi(
            tenant=Tenant(provider="toy", id="t"),
            policy=FAST,
            rate_limiter=LocalRateLimiter(),
            base_url=url,
            headers=dict,
        )
        async for _ in api.connection_pages(document):
            pass

    with JsonApi({"POST /graphql Things": route}) as server, pytest.raises(CallFailed, match="are the same"):
        asyncio.run(pages(server.url))


def test_a_filter_may_leave_many_pages_empty() -> None:
    limits = PageLimits("toy:List")
    for number in range(5):
        for _ in range(MAX_EMPTY_PAGES):
            limits.check({"items": [], "next": "token"})
        limits.check({"items": [number], "next": "token"})


def test_lists_within_objects_are_items() -> None:
    limits = PageLimits("toy:List")
    for number in range(MAX_EMPTY_PAGES + 1):
        limits.check({"DistributionList": {"Items": [number]}})
        limits.check({"items": {"zones/a": {"instances": [number]}, "zones/b": {"warning": {}}}})


def test_the_number_of_pages_is_bounded() -> None:
    limits = PageLimits("toy:List")
    for number in range(MAX_PAGES):
        limits.check([number])
    with pytest.raises(CallFailed, match="more than 100,000 pages"):
        limits.check(["one more"])


def with_new_token(items: list[Any]) -> Any:
    tokens = itertools.count()
    return lambda asked: Reply({"items": items, "next": f"token-{next(tokens)}"})


async def read(server: JsonApi, action: str) -> None:
    api = HttpApi(
        tenant=Tenant(provider="toy", id="t"),
        policy=FAST,
        rate_limiter=LocalRateLimiter(),
        base_url=server.url,
        headers=dict,
    )
    async for _ in api.pages(action):
        pass
