"""Connections over HTTP, shared by the threads of the process: each response is read within the process's limits.

No redirects, no cookies, no .netrc. The time limit covers status line, headers and body: every read from the socket has
what is left of it, so that a server that sends a byte now and then ends nothing but its own response.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.poolmanager import PoolManager

from loaders.masking import keep_secret
from tasks.clients.client import CONNECT_SECONDS, READ_SECONDS
from tasks.clients.response_limits import response_limits, too_large, too_slow
from tasks.engine.concurrency import CALLS_IN_FLIGHT

Headers = Callable[[], Mapping[str, str]]  # called for each request, so that no secret is kept

_CHUNK: Final = 65_536  # bytes; urllib3 decompresses no more than that at a time
_sessions: Final[dict[str, requests.Session]] = {}  # of this process, by server


@dataclass(frozen=True, slots=True)
class RawResponse:
    """`headers`: names in lower case. `content`: decompressed."""

    status: int
    reason: str
    headers: Mapping[str, str]
    content: bytes


def exchange(method: str, url: str, authorization: Headers, **request: Any) -> RawResponse:
    """One request and its whole response. Redirects are not followed: they would be sent the credentials.

    `authorization`: called as the request is sent.

    Raises ResponseLimitExceeded and requests' RequestException.
    """
    end = time.monotonic() + response_limits().max_seconds
    try:
        with _session(url).request(
            method,
            url,
            auth=_Authorization(authorization),
            timeout=(CONNECT_SECONDS, READ_SECONDS),
            allow_redirects=False,
            stream=True,
            **request,
        ) as response:
            names = {name.lower(): value for name, value in response.headers.items()}
            return RawResponse(response.status_code, response.reason or "", names, _content(response, end))
    except requests.RequestException:
        if time.monotonic() >= end:
            raise too_slow() from None
        raise


async def close_http() -> None:
    """Close the HTTP connections of this process."""
    while _sessions:
        _sessions.popitem()[1].close()


def _content(response: requests.Response, end: float) -> bytes:
    max_bytes = response_limits().max_bytes
    chunks: list[bytes] = []
    size = 0
    for chunk in response.iter_content(_CHUNK):
        size += len(chunk)
        if size > max_bytes:
            raise too_large()
        if time.monotonic() >= end:
            raise too_slow()
        chunks.append(chunk)
    return b"".join(chunks)


def _remember(headers: Mapping[str, str]) -> None:
    """The credentials that are sent: the server may repeat them."""
    for name, value in headers.items():
        if name.lower() == "authorization":
            keep_secret(value.rpartition(" ")[2])


class _Authorization(AuthBase):
    """Headers made as the request is sent. As `auth` they also keep requests from sending those of a .netrc."""

    def __init__(self, headers: Headers) -> None:
        self._headers = headers

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        headers = self._headers()
        _remember(headers)
        request.headers.update(headers)
        return request


class _TimedReader(io.RawIOBase):
    """Reads from a socket, and no longer than until a moment, however often it is called."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        self._raw = raw
        self._sock = sock
        self._end = time.monotonic() + response_limits().max_seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the response takes too long")
        self._sock.settimeout(min(READ_SECONDS, left))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _TimedResponse(http.client.HTTPResponse):
    """Reads its status line, its headers and its body from a timed reader."""

    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp = io.BufferedReader(_TimedReader(self.fp.detach(), sock))


class _TimedConnection(HTTPConnection):
    response_class = _TimedResponse


class _TimedSecureConnection(HTTPSConnection):
    response_class = _TimedResponse


class _Pool(HTTPConnectionPool):
    ConnectionCls = _TimedConnection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _TimedSecureConnection


class _Adapter(HTTPAdapter):
    """Connects, directly or by a proxy, with timed connections."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        _use_timed(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **options)
        _use_timed(manager)
        return manager


def _use_timed(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}


def _session(url: str) -> requests.Session:
    """The connections of this process to a server. There is no sign-in, so no cookie is kept."""
    scheme, server, *_ = urlsplit(url)
    origin = f"{scheme}://{server}"
    if origin not in _sessions:
        session = requests.Session()
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for prefix in ("https://", "http://"):
            session.mount(prefix, _Adapter(pool_maxsize=CALLS_IN_FLIGHT + 5))
        _sessions.setdefault(origin, session)
    return _sessions[origin]
