"""How requests to Google are sent: by this process's connections, within its limits, with tokens renewed once for all.

Google's library for services, and that for credentials, each take an object that sends requests: these are the two.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qs

import httplib2
import requests
from google.auth import transport
from google.auth.credentials import Credentials
from google.auth.exceptions import TransportError

from loaders.masking import keep_secret
from tasks.clients.http_connections import RawResponse, exchange

_UNAUTHORIZED: Final = 401
_SECRETS: Final = ("assertion", "client_secret", "refresh_token", "subject_token")

_refreshing: Final = threading.Lock()


@dataclass(frozen=True, slots=True)
class ServiceTransport:
    """Sends the requests of Google's library for services, as these credentials."""

    identity: Credentials

    def request(
        self, uri: str, method: str = "GET", body: str | None = None, headers: Mapping[str, str] | None = None, **_: Any
    ) -> tuple[httplib2.Response, bytes]:
        """Raises requests' RequestException, ResponseLimitExceeded, and GoogleAuthError where no token is issued."""
        raw = self._send(uri, method, body, headers or {})
        if raw.status == _UNAUTHORIZED:  # the token may have expired on its way
            with _refreshing:
                self._refresh()
            raw = self._send(uri, method, body, headers or {})
        response = httplib2.Response({**raw.headers, "status": str(raw.status)})
        response.reason = raw.reason
        return response, raw.content

    def _send(self, uri: str, method: str, body: str | None, headers: Mapping[str, str]) -> RawResponse:
        sent = dict(headers)
        with _refreshing:  # of many calls that start together, one requests the token
            if not self.identity.valid:
                self._refresh()
        self.identity.before_request(_TokenTransport(), method, uri, sent)  # type: ignore[no-untyped-call]
        return exchange(method, uri, lambda: sent, data=body)

    def _refresh(self) -> None:
        self.identity.refresh(_TokenTransport())  # type: ignore[no-untyped-call]


class _TokenTransport(transport.Request):
    """Sends the requests of Google's library for credentials."""

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **_: Any,
    ) -> transport.Response:
        """`timeout`: ignored, as all requests have the same."""
        sent = dict(headers or {})
        _remember(body)
        try:
            raw = exchange(method, url, lambda: sent, data=body)
        except requests.RequestException as error:
            raise TransportError(type(error).__name__) from error  # type: ignore[no-untyped-call]
        return _TokenResponse(raw)


def _remember(body: bytes | None) -> None:
    """What a token is requested with: the server may repeat it."""
    for name, values in parse_qs(body.decode(errors="replace") if isinstance(body, bytes) else "").items():
        if name in _SECRETS:
            keep_secret(values[0])


class _TokenResponse(transport.Response):
    def __init__(self, raw: RawResponse) -> None:
        self._raw = raw

    @property
    def status(self) -> int:
        return self._raw.status

    @property
    def headers(self) -> Mapping[str, str]:
        return self._raw.headers

    @property
    def data(self) -> bytes:
        return self._raw.content
