"""The client of JSON APIs over HTTP.

    USERS = listing("GET /api/v1/users", limit=200).detail("GET /api/v1/users/{id}/factors", id="id")

An action is a method and a path. Names in braces are taken from the parameters; the others become the query. A
provider describes its API in an `HttpService`: how it pages, how it reports errors, and how many calls it accepts.
"""

from __future__ import annotations

import string
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from loaders.model import at
from tasks.clients.api_client import ApiClient, ApiPolicy, Response
from tasks.clients.base_url import resolve_link
from tasks.clients.client import ErrorResponse
from tasks.clients.http_errors import by_status
from tasks.clients.http_requests import Headers, send
from tasks.clients.page_limits import PageLimits
from tasks.clients.paginators import Paginator, SinglePage
from tasks.engine import calls
from tasks.failures import CallFailed, Failure
from tasks.resource import Call, Fetch

_SINGLE_PAGE: Final = SinglePage()


def http_calls(fetch: Fetch) -> tuple[Call, ...]:
    """The calls of a fetch. An action whose path ends in a parameter returns one object; any other may page."""
    return calls.of(fetch, lambda action: Call(call=action, paged=not action.endswith("}")))


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpService(ApiPolicy):
    """What a provider's API is like, the same for all its tenants.

    paginator             where the next page is
    items_path            where a page holds its items: a path, or "" if the page is the list. None: each declaration
                          says it, and details may return anything
    items_path_overrides  the same for single actions. None: the response is one object, as it is for every action
                          whose path ends in a parameter
    required_field        a field (path) that objects have: a response that is one object must have it, and at least
                          one element of a list. "": not checked
    any_host              the path that links must lead below, if they may name another host of the tenant, as Okta's
                          do; the request goes to `base_url` all the same. None: links must name the host of `base_url`
    """

    classify_error: Callable[[Response], ErrorResponse | None] = by_status
    paginator: Paginator = _SINGLE_PAGE
    items_path: str | None = None
    items_path_overrides: Mapping[str, str | None] = field(default_factory=dict)
    required_field: str = ""
    any_host: str | None = None

    def list_at(self, action: str) -> str | None:
        """Where the response to an action holds a list; None if it is one object."""
        return self.items_path_overrides.get(action, None if action.endswith("}") else self.items_path)


@dataclass(kw_only=True)
class HttpApi(ApiClient):
    """A JSON API for one tenant.

    base_url  what paths are appended to; links must lead there, because they are sent the credentials
    headers   returns the headers that authorize a request; called for each, so that no secret is kept
    """

    policy: HttpService
    base_url: str
    headers: Headers

    async def call(self, action: str, **parameters: Any) -> Response:
        """The response to an action. Raises CallFailed; RetryLater if the wait would be long."""
        _, _, template = action.partition(" ")
        in_path = {name for _, name, _, _ in string.Formatter().parse(template) if name}
        path = template.format_map({name: quote(str(parameters[name]), safe="") for name in in_path})
        query = {name: value for name, value in parameters.items() if name not in in_path}
        return await self._request(action, self.base_url.rstrip("/") + path, query)

    async def pages(self, action: str, **parameters: Any) -> AsyncIterator[Any]:
        """The body of every page. Raises CallFailed; RetryLater if the wait would be long."""
        response, seen, limits = await self.call(action, **parameters), set[str](), PageLimits(action)
        while True:
            limits.check(response.body)
            yield self._checked_body(action, response.body)
            next_page = self.policy.paginator(response)
            if next_page is None:
                return
            if isinstance(next_page, str):
                next_page = self._next_url(action, next_page)
            if repr(next_page) in seen:
                raise CallFailed(Failure.INVALID_RESPONSE, action, "the next page is one that was read before")
            seen.add(repr(next_page))
            if isinstance(next_page, str):
                response = await self._request(action, next_page, {})
            else:
                response = await self.call(action, **{**parameters, **next_page})

    async def read_all(self, action: str, **parameters: Any) -> Any:
        """The body of an action with the items of every page in it."""
        pages = [page async for page in self.pages(action, **parameters)]
        if len(pages) == 1:
            return pages[0]
        path = self.policy.list_at(action) or ""
        lists = [at(path, page) if path else page for page in pages]
        if not all(isinstance(items, list) for items in lists):
            raise _unexpected(action, "one object, yet there are further pages")
        items = [item for page in lists for item in page]
        return {**pages[0], path: items} if path else items

    def items_paths(self, action: str) -> tuple[str, ...]:
        return (self.policy.list_at(action) or "",)

    async def post(self, action: str, body: Mapping[str, Any]) -> Response:
        """The response to a document sent to the path of an action: `POST /graphql Members` goes to `/graphql`."""
        method, path, *_ = action.split(" ")
        url = self.base_url.rstrip("/") + path
        return await self.response(action, lambda: send(method, url, {}, self.headers, body))

    async def _request(self, action: str, url: str, query: Mapping[str, Any]) -> Response:
        method, _, _ = action.partition(" ")
        return await self.response(action, lambda: send(method, url, query, self.headers))

    def _checked_body(self, action: str, body: Any) -> Any:
        """Status 200 may still be a proxy's page, or an error: neither must read as an empty list."""
        path, required = self.policy.list_at(action), self.policy.required_field
        if path is None:
            if not isinstance(body, Mapping | list) or (required and not at(required, body)):
                raise _unexpected(action, f"not an object with {required}" if required else "neither object nor list")
            return body
        items = at(path, body) if path else body
        if not isinstance(items, list):
            raise _unexpected(action, f"not a list{f' at {path}' if path else ''}")
        if items and required and not any(at(required, item) for item in items):
            raise _unexpected(action, f"a list whose items have no {required}")
        return body

    def _next_url(self, action: str, link: str) -> str:
        """Where a link of a response leads, on the server of `base_url`: no other is sent the credentials."""
        below, any_host = self.policy.any_host or "/", bool(self.policy.any_host)
        try:
            return resolve_link(self.base_url, link, below=below, any_host=any_host)
        except ValueError as error:
            raise CallFailed(Failure.INVALID_RESPONSE, action, f"the next page is {error}") from None


def _unexpected(action: str, what: str) -> CallFailed:
    return CallFailed(Failure.INVALID_RESPONSE, action, f"the response is {what}")
