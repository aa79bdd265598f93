"""Samples of a provider whose API is JSON over HTTP: a call is a method and a path, as declarations name it."""

from __future__ import annotations

import re
import time
from abc import abstractmethod
from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import Any, ClassVar

from loaders.scope import Scope
from tasks.clients.http import HttpService
from tasks.clients.rate_limiter import RateLimiter
from tasks.engine import registry
from tasks.engine.listing import Listing
from tasks.resource import Api, ResourceType, Tenant
from tests.contract import stand_in
from tests.contract.samples import items_in, sample
from tests.contract.stand_in import OtherResponse, Responses, StandIn
from tests.servers.json_api import Asked, JsonApi, Reply, Route, next_page

MANY = 1_000


class JsonStandIn(StandIn):
    """`besides`: routes that are there whatever the sample is."""

    service: ClassVar[HttpService]
    throttled: ClassVar[Reply]
    denied: ClassVar[Reply]

    def __init__(self, server: JsonApi, tenant: Tenant) -> None:
        self.server = server
        self.tenant = tenant
        self.lookups: dict[str, Route] = {}
        self._responses: Responses = {}

    @property
    def responses(self) -> Responses:
        return self._responses

    @responses.setter
    def responses(self, responses: Responses) -> None:
        self._responses = responses
        self.server.routes = {
            self.path_of(call): self._route(found) for call, found in responses.items()
        } | self.lookups

    async def connect(self, scope: Scope, rate_limiter: RateLimiter) -> Api:
        tenant = self.tenant_of(registry.types()[scope.type])
        return await registry.providers()[self.provider].connect(tenant, scope.region, rate_limiter)

    async def close(self) -> None:
        await registry.providers()[self.provider].close()

    def items_paths(self, fetch: Listing) -> tuple[str, ...]:
        """Whether a response is a list or one thing, its sample shows."""
        path = (self.service.list_at(fetch.action) or "") if fetch.items_path is None else fetch.items_path
        of_types = [sample(type_) for type_ in registry.of(self.provider) if fetch.action in type_.fetch.calls]
        return (path,) if isinstance(items_in(of_types[0][fetch.action][0], path), list) else ()

    def lists(self, type_: ResourceType) -> list[tuple[str, str]]:
        if isinstance(type_.fetch, Listing):
            return [(type_.fetch.action, path) for path in self.items_paths(type_.fetch)]
        return [(call, self.service.items_path or "") for call in type_.fetch.calls]

    @property
    def received(self) -> list[stand_in.Asked]:
        calls = {self.path_of(call): call for call in self._responses}
        asked = (one for one in self.server.received if one.action not in self.lookups)
        return [stand_in.Asked(calls.get(one.action, one.action), f"{one.path} {one.text}") for one in asked]

    def forget(self) -> None:
        self.server.received = []
        self.server.forgive()

    def throttle(self, call: str, times: int = 1) -> None:
        self._refuse(call, self.throttled, times)

    def deny(self, call: str) -> None:
        self._refuse(call, self.denied, times=MANY)

    def lose(self, call: str, code: str) -> None:
        self._refuse(call, self.lost(code))

    def respond_otherwise(self, calls: Collection[str], other: OtherResponse) -> None:
        reply = Reply(other.json, headers={"Content-Type": other.content_type} if other.content_type else {})

        def route(asked: Asked) -> Reply:
            time.sleep(other.seconds)
            return reply

        self.server.routes = {self.path_of(call): route for call in calls} | self.lookups

    @abstractmethod
    def lost(self, code: str) -> Reply:
        """There is no such thing, in the provider's words."""

    def _refuse(self, call: str, reply: Reply, times: int = 1) -> None:
        self.server.refuse(self.path_of(call), reply.status, reply.headers, reply.body, times)

    def path_of(self, call: str) -> str:
        """Method and path of a call."""
        return call

    def _route(self, found: list[Any] | dict[str, Any]) -> Route:
        def route(asked: Asked) -> Reply:
            response = of_item(found, asked.text) if isinstance(found, dict) else found
            if response is None:
                return Reply({"message": f"no response to {asked.text} in the sample"}, 501)
            if isinstance(response, str):
                return self.lost(response)
            return self.page(response, asked) if isinstance(response, list) else Reply(response)

        return route

    def page(self, pages: Sequence[Any], asked: Asked) -> Reply:
        """The first page, or the one that follows the page whose token the call carries."""
        for page, following in pairwise(pages):
            if any(token and token in asked.text for token in tokens_of(page)):
                return Reply(following)
        return Reply(pages[0])


def linked(pages: Sequence[Any], asked: Asked) -> Reply:
    """The page that the header Link of the one before leads to."""
    at = int(asked.query.get("after", "page-0").removeprefix("page-"))
    return Reply(pages[at], headers=next_page(asked, f"page-{at + 1}") if at + 1 < len(pages) else {})


def tokens_of(page: Any) -> list[str]:
    """What in a page leads to the next one."""
    if isinstance(page, list):
        return [token for value in page for token in tokens_of(value)]
    if not isinstance(page, dict):
        return []
    own = [page[name] for name in ("nextPageToken", "endCursor") if isinstance(page.get(name), str)]
    return own + [token for value in page.values() for token in tokens_of(value)]


def of_item(responses: dict[str, Any], text: str) -> Any:
    """The response whose word stands in the call by itself: `logs` is not in `logs-archive`."""
    words = [word for word in responses if re.search(rf"(?<![\w.-]){re.escape(word)}(?![\w.-])", text)]
    return responses[max(words, key=len)] if words else None
