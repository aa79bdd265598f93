"""One request to Google, by its library's clients."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import httplib2
import requests
from google.auth.credentials import Credentials
from google.auth.exceptions import GoogleAuthError, RefreshError, TransportError
from googleapiclient import discovery
from googleapiclient.errors import HttpError

from tasks.clients.api_client import Response
from tasks.clients.client import ErrorResponse
from tasks.clients.google_documents import discovery_document
from tasks.clients.google_errors import MAX_REASON
from tasks.clients.google_transport import ServiceTransport
from tasks.clients.response_limits import ResponseLimitExceeded, read_json
from tasks.failures import Failure

UNREFRESHED: Final = RefreshError.__name__  # the code of an error that says that no token was issued


def execute(request: Any, identity: Credentials) -> Response | ErrorResponse:
    """`request`: one of Google's library."""
    response_headers: list[Mapping[str, str]] = []
    request.add_response_callback(response_headers.append)
    request.postproc = lambda response, content: read_json(content)
    try:
        body = request.execute(http=ServiceTransport(identity), num_retries=0)
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
    except ResponseLimitExceeded as error:
        return ErrorResponse(Failure.INVALID_RESPONSE, "", str(error), may_retry=False)
    except (requests.RequestException, OSError, TransportError) as error:
        return ErrorResponse(Failure.TRANSIENT, "", type(error).__name__)
    except GoogleAuthError as error:
        return ErrorResponse(Failure.DENIED, type(error).__name__, str(error)[:MAX_REASON])
    except (ValueError, RecursionError):
        return ErrorResponse(Failure.INVALID_RESPONSE, "", "the response is not JSON")
    except (AttributeError, LookupError, TypeError):  # Google's library takes any response for one of its own
        return ErrorResponse(Failure.INVALID_RESPONSE, "", "the response is not one of Google's, or of its tokens")


@cache
def service_client(service: str, endpoint: str) -> Any:
    """Google's client of a service, built once per process."""
    document = discovery_document(service)
    options = {"api_endpoint": f"{endpoint.rstrip('/')}/{document['servicePath']}"} if endpoint else None
    return discovery.build_from_document(document, http=httplib2.Http(), client_options=options)


def _json(content: bytes) -> Any:
    try:
        return read_json(content)
    except ValueError:
        return None
