"""One request to Google: its library's clients, connections per thread, tokens renewed once for all threads."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import google_auth_httplib2
import httplib2
from google.auth.credentials import Credentials
from google.auth.exceptions import GoogleAuthError, RefreshError, TransportError
from googleapiclient import discovery
from googleapiclient.errors import HttpError

from tasks.clients.api_client import Response
from tasks.clients.client import READ_SECONDS, ErrorResponse
from tasks.clients.google_documents import discovery_document
from tasks.clients.google_errors import MAX_REASON
from tasks.failures import Failure

UNREFRESHED: Final = RefreshError.__name__  # the code of an error that says that no token was issued

_of_thread = threading.local()
_refreshing: Final = threading.Lock()


def execute(request: Any, identity: Credentials) -> Response | ErrorResponse:
    """`request`: one of Google's library."""
    response_headers: list[Mapping[str, str]] = []
    request.add_response_callback(response_headers.append)
    try:
        body = request.execute(http=_http(identity), num_retries=0)
        content_type = response_headers[-1].get("content-type", "") if response_headers else ""
        if "json" not in content_type:  # not a response of Google's
            reason = f"the response is {content_type[:80] or 'without a type'}, not JSON"
            return ErrorResponse(Failure.INVALID_RESPONSE, "", reason)
        return Response(200, {}, body)
    except HttpError as error:
        headers = {name.lower(): value for name, value in error.resp.items()}
        return Response(int(error.resp.status), headers, _json(error.content))
    except RefreshError as error:
        is_transient = error.retryable or isinstance(error.__cause__, TransportError)
        reason = f"no token is issued: {error.args[0]}"[:MAX_REASON]
        return ErrorResponse(Failure.TRANSIENT if is_transient else Failure.DENIED, UNREFRESHED, reason)
    except (httplib2.HttpLib2Error, OSError, TransportError) as error:
        return ErrorResponse(Failure.TRANSIENT, "", type(error).__name__)
    except GoogleAuthError as error:
        return ErrorResponse(Failure.DENIED, type(error).__name__, str(error)[:MAX_REASON])
    except (ValueError, RecursionError):
        return ErrorResponse(Failure.INVALID_RESPONSE, "", "the response is not JSON")


@cache
def service_client(service: str, endpoint: str) -> Any:
    """Google's client of a service, built once per process."""
    document = discovery_document(service)
    options = {"api_endpoint": f"{endpoint.rstrip('/')}/{document['servicePath']}"} if endpoint else None
    return discovery.build_from_document(document, http=httplib2.Http(), client_options=options)


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None


def _http(identity: Credentials) -> google_auth_httplib2.AuthorizedHttp:
    """The connections of this thread, as httplib2 requires. Redirects, which would be sent the token, are an error."""
    by_identity: dict[Credentials, google_auth_httplib2.AuthorizedHttp] = _of_thread.__dict__.setdefault("https", {})
    if identity not in by_identity:
        http = httplib2.Http(timeout=READ_SECONDS)
        http.follow_redirects = False
        by_identity[identity] = google_auth_httplib2.AuthorizedHttp(identity, http=http)
    http = by_identity[identity]
    with _refreshing:  # of many calls that start together, one requests the token
        if not identity.valid:
            identity.refresh(google_auth_httplib2.Request(http.http))  # type: ignore[no-untyped-call]
    return http
