"""The helper for providers whose API is JSON over HTTP: calls within the fleet's budget, retried by class of failure.

    USERS = listing("GET /api/v1/users", limit=200).detail("GET /api/v1/users/{id}/factors", id="id")

An action is a method and a path; what stands in braces is taken from the parameters, the others are the query. A
provider says in an `HttpService` what its API is like: how it pages, how it refuses, and how much it takes.
"""

from __future__ import annotations

import string
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final, Protocol
from urllib.parse import quote, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from loaders.model import at
from tasks.clients import base_url
from tasks.clients.client import CONNECT_SECONDS, READ_SECONDS, ApiPolicy, ErrorResponse, RateLimitedClient, Response
from tasks.clients.link_header import links
from tasks.engine import calls
from tasks.engine.concurrency import CALLS_IN_FLIGHT
from tasks.failures import CallFailed, Failure
from tasks.resource import Call, Fetch

_LONGEST_REASON: Final = 200

_sessions: Final[dict[str, requests.Session]] = {}  # of this process, by server

NextPage = str | Mapping[str, str] | None  # the next page: its URL, or the parameters that change; None after the last


class Paginator(Protocol):
    """Where the next page of a listing is, read off the response."""

    def __call__(self, response: Response, /) -> NextPage: ...


class LinkHeader:
    """The next page by the header Link, as Okta and GitHub have it."""

    def __call__(self, response: Response) -> NextPage:
        return response.links.get("next")


@dataclass(frozen=True, slots=True)
class Cursor:
    """The next page by a token at a path of the response, which is sent as a parameter."""

    path: str
    parameter: str

    def __call__(self, response: Response) -> NextPage:
        token = at(self.path, response.body)
        return {self.parameter: token} if token else None


class SinglePage:
    """A response is everything: there is no next page."""

    def __call__(self, response: Response) -> NextPage:
        return None


_SINGLE_PAGE: Final = SinglePage()


def message_of(response: Response) -> str:
    if 300 <= response.status < 400:
        return f"sends elsewhere: {urlsplit(response.headers.get('location', '')).hostname}"
    body = response.body if isinstance(response.body, Mapping) else {}
    told = next((body[name] for name in ("message", "errorSummary", "error") if isinstance(body.get(name), str)), "")
    return str(told)[:_LONGEST_REASON] or f"answered {response.status}"


def described(fetch: Fetch) -> tuple[Call, ...]:
    """The calls of a fetch. What ends in a parameter is one thing; all else may have pages."""
    return calls.of(fetch, lambda action: Call(call=action, paged=not action.endswith("}")))


def retry_after(response: Response) -> float | None:
    """Seconds of the header Retry-After, which may be a date."""
    told = response.headers.get("retry-after", "")
    if told.isdigit():
        return float(told)
    try:
        until, now = (parsedate_to_datetime(response.headers[name]).timestamp() for name in ("retry-after", "date"))
    except (KeyError, ValueError):
        return None
    return max(0.0, until - now)


def seconds_until(response: Response, moment: float) -> float:
    """Until a Unix time, at least a second. By the server's own clock: this machine's may be another."""
    try:
        now = parsedate_to_datetime(response.headers["date"]).timestamp()
    except (KeyError, ValueError):
        now = time.time()
    return max(1.0, moment - now)


def by_status(response: Response) -> ErrorResponse | None:
    """The class of a response by its status, and the API's own message where it has one of the usual names."""
    status = response.status
    if 200 <= status < 300:
        return None
    classes = {
        401: Failure.DENIED,
        403: Failure.DENIED,
        404: Failure.NOT_FOUND,
        410: Failure.NOT_FOUND,
        429: Failure.THROTTLED,
    }
    failure = classes.get(status, Failure.TRANSIENT if status >= 500 or status == 408 else Failure.UNEXPECTED)
    return ErrorResponse(failure, str(status), message_of(response), retry_after(response))


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpService(ApiPolicy):
    """What a provider's API is like, the same for all its tenants.

    paginator             where the next page is
    items_path            where a page holds its items: a path, or "" where it is the list. None: each declaration says
                          it, and details may respond with anything
    items_path_overrides  the same for actions of another kind. None: the response is one object, as that of every
                          action whose path ends in a parameter
    required_field        what each object has: a path. A response that is one object must hold it, of a list some
                          element must, if there are any; "" where nothing tells
    any_host              links may name another host of the same tenant, as Okta's do: path and query are asked for at
                          `base_url`. They must lead below this path of it. None: links must name the server of
                          `base_url`
    """

    classify_error: Callable[[Response], ErrorResponse | None] = by_status
    paginator: Paginator = _SINGLE_PAGE
    items_path: str | None = None
    items_path_overrides: Mapping[str, str | None] = field(default_factory=dict)
    required_field: str = ""
    any_host: str | None = None

    def list_at(self, action: str) -> str | None:
        """Where the response to an action holds a list; None where it is one thing."""
        return self.items_path_overrides.get(action, None if action.endswith("}") else self.items_path)


class _Authorized(AuthBase):
    """Headers of one request, made as it is sent. As `auth` they keep those of a .netrc from being sent instead."""

    def __init__(self, headers: Callable[[], Mapping[str, str]]) -> None:
        self._headers = headers

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.update(self._headers())
        return request


@dataclass(kw_only=True)
class HttpApi(RateLimitedClient):
    """A provider's API for one tenant.

    base_url      what paths are appended to, and where links must lead: they are sent the credentials as well
    headers       those that authorize a request; called for each, so that a secret is kept nowhere
    """

    policy: HttpService
    base_url: str
    headers: Callable[[], Mapping[str, str]]

    async def call(self, action: str, **parameters: Any) -> Response:
        """The response of an action. Raises CallFailed, or Later where the wait would be long."""
        _, _, template = action.partition(" ")
        in_path = {name for _, name, _, _ in string.Formatter().parse(template) if name}
        path = template.format_map({name: quote(str(parameters[name]), safe="") for name in in_path})
        query = {name: value for name, value in parameters.items() if name not in in_path}
        return await self._ask(action, self.base_url.rstrip("/") + path, query)

    async def pages(self, action: str, **parameters: Any) -> AsyncIterator[Any]:
        """The body of every page. Raises CallFailed where one isn't what the action answers with."""
        response, seen = await self.call(action, **parameters), set[str]()
        while True:
            yield self._shaped(action, response.body)
            further = self.policy.paginator(response)
            if further is None:
                return
            if isinstance(further, str):
                further = self._own(action, further)
            if repr(further) in seen:
                raise CallFailed(Failure.INVALID_RESPONSE, action, "the next page is one that was read before")
            seen.add(repr(further))
            if isinstance(further, str):
                response = await self._ask(action, further, {})
            else:
                response = await self.call(action, **{**parameters, **further})

    async def read_all(self, action: str, **parameters: Any) -> Any:
        """The body of an action as one, with the items of every page."""
        pages = [page async for page in self.pages(action, **parameters)]
        if len(pages) == 1:
            return pages[0]
        where = self.policy.list_at(action) or ""
        lists = [at(where, page) if where else page for page in pages]
        if not all(isinstance(items, list) for items in lists):
            raise _other(action, "one thing, and has further pages")
        items = [item for page in lists for item in page]
        return {**pages[0], where: items} if where else items

    def items_paths(self, action: str) -> tuple[str, ...]:
        return (self.policy.list_at(action) or "",)

    def _shaped(self, action: str, body: Any) -> Any:
        """What came with status 200 may still be a proxy's page, or an error: that must not read as an empty list."""
        where, told = self.policy.list_at(action), self.policy.required_field
        if where is not None:
            found = at(where, body) if where else body
            if not isinstance(found, list):
                raise _other(action, f"no list{f' at {where}' if where else ''}")
            if found and told and not any(at(told, one) for one in found):
                raise _other(action, f"a list of what has no {told}")
        elif not isinstance(body, Mapping | list) or (told and not at(told, body)):
            raise _other(action, f"no object with {told}" if told else "neither object nor list")
        return body

    def _own(self, action: str, link: str) -> str:
        """Where a link of a response leads, at the server of `base_url`: no other is sent the credentials."""
        try:
            return base_url.own(
                self.base_url, link, below=self.policy.any_host or "/", any_host=bool(self.policy.any_host)
            )
        except ValueError as error:
            raise CallFailed(Failure.INVALID_RESPONSE, action, f"the next page is {error}") from None

    async def post(self, action: str, body: Mapping[str, Any]) -> Response:
        """The response to a document that is sent to the action's path, whatever follows that in the action's name."""
        method, path, *_ = action.split(" ")
        url = self.base_url.rstrip("/") + path
        return await self.response(action, lambda: _request(method, url, {}, _Authorized(self.headers), body))

    async def _ask(self, action: str, url: str, query: Mapping[str, Any]) -> Response:
        method, _, _ = action.partition(" ")
        return await self.response(action, lambda: _request(method, url, query, _Authorized(self.headers)))


def _other(action: str, told: str) -> CallFailed:
    """The response is something else than the action answers with."""
    return CallFailed(Failure.INVALID_RESPONSE, action, f"the response is {told}")


def _session(origin: str) -> requests.Session:
    """Connections of this process to a server, for all its threads. Nobody signs in, so that no cookie is kept."""
    if origin not in _sessions:
        session = requests.Session()
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("https://", "http://"):
            session.mount(scheme, HTTPAdapter(pool_maxsize=CALLS_IN_FLIGHT + 5))
        _sessions.setdefault(origin, session)
    return _sessions[origin]


def _request(
    method: str, url: str, query: Mapping[str, Any], auth: AuthBase, body: Mapping[str, Any] | None = None
) -> Response | ErrorResponse:
    """One request, and nothing after it. Redirects aren't followed: they would be sent the credentials."""
    scheme, server, *_ = urlsplit(url)
    session = _session(f"{scheme}://{server}")
    headers = {"Accept": "application/json", "User-Agent": "chartfleet"}
    try:
        response = session.request(
            method,
            url,
            params=query,
            json=body,
            headers=headers,
            auth=auth,
            timeout=(CONNECT_SECONDS, READ_SECONDS),
            allow_redirects=False,
        )
        is_json = "json" in response.headers.get("content-type", "") or response.ok
        return Response(
            status=response.status_code,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=response.json() if response.content and is_json else None,
            links=links(response.headers.get("link", "")),
            path=urlsplit(url).path,
        )
    except requests.JSONDecodeError:
        return ErrorResponse(Failure.INVALID_RESPONSE, "", "the response is no JSON")
    except requests.RequestException as error:
        return ErrorResponse(Failure.TRANSIENT, "", type(error).__name__)


async def close() -> None:
    """End the connections of this process."""
    while _sessions:
        _sessions.popitem()[1].close()
