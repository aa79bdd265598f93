"""One request to a JSON API over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests

from tasks.clients.api_client import Response
from tasks.clients.client import ErrorResponse
from tasks.clients.http_connections import Headers as Headers
from tasks.clients.http_connections import RawResponse, exchange
from tasks.clients.http_connections import close_http as close_http
from tasks.clients.link_header import links
from tasks.clients.response_limits import ResponseLimitExceeded, read_json
from tasks.failures import Failure


def send(
    method: str, url: str, query: Mapping[str, Any], headers: Headers, body: Mapping[str, Any] | None = None
) -> Response | ErrorResponse:
    """One request, and its response as JSON."""
    own = {"Accept": "application/json", "User-Agent": "chartfleet"}
    try:
        raw = exchange(method, url, headers, params=query, json=body, headers=own)
        return Response(
            status=raw.status,
            headers=raw.headers,
            body=_body(raw),
            links=links(raw.headers.get("link", "")),
            path=urlsplit(url).path,
        )
    except ResponseLimitExceeded as error:
        return ErrorResponse(Failure.INVALID_RESPONSE, "", str(error), may_retry=False)
    except requests.RequestException as error:
        return ErrorResponse(Failure.TRANSIENT, "", type(error).__name__)
    except ValueError:
        return ErrorResponse(Failure.INVALID_RESPONSE, "", "the response is not JSON")


def _body(raw: RawResponse) -> Any:
    is_json = "json" in raw.headers.get("content-type", "") or raw.status < 400
    return read_json(raw.content) if raw.content and is_json else None
