"""One HTTP request: no redirects, no cookies, no .netrc, connections shared by the threads of the process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from tasks.clients.api_client import Response
from tasks.clients.client import CONNECT_SECONDS, READ_SECONDS, ErrorResponse
from tasks.clients.link_header import links
from tasks.engine.concurrency import CALLS_IN_FLIGHT
from tasks.failures import Failure

Headers = Callable[[], Mapping[str, str]]  # called for each request, so that no secret is kept

_sessions: Final[dict[str, requests.Session]] = {}  # of this process, by server


class _Authorization(AuthBase):
    """Headers made as the request is sent. As `auth` they also keep requests from sending those of a .netrc."""

    def __init__(self, headers: Headers) -> None:
        self._headers = headers

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.update(self._headers())
        return request


def send(
    method: str, url: str, query: Mapping[str, Any], headers: Headers, body: Mapping[str, Any] | None = None
) -> Response | ErrorResponse:
    """One request. Redirects are not followed: they would be sent the credentials."""
    try:
        response = _session(url).request(
            method,
            url,
            params=query,
            json=body,
            headers={"Accept": "application/json", "User-Agent": "chartfleet"},
            auth=_Authorization(headers),
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
        return ErrorResponse(Failure.INVALID_RESPONSE, "", "the response is not JSON")
    except requests.RequestException as error:
        return ErrorResponse(Failure.TRANSIENT, "", type(error).__name__)


def _session(url: str) -> requests.Session:
    """The connections of this process to a server. There is no sign-in, so no cookie is kept."""
    scheme, server, *_ = urlsplit(url)
    origin = f"{scheme}://{server}"
    if origin not in _sessions:
        session = requests.Session()
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for prefix in ("https://", "http://"):
            session.mount(prefix, HTTPAdapter(pool_maxsize=CALLS_IN_FLIGHT + 5))
        _sessions.setdefault(origin, session)
    return _sessions[origin]


async def close_http() -> None:
    """Close the HTTP connections of this process."""
    while _sessions:
        _sessions.popitem()[1].close()
