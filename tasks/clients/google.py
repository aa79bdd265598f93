"""The helper for Google's APIs: Google's own client, its calls within the fleet's budget, retried by class of failure.

    USERS = listing("directory:users.list", maxResults=500)

An action is a service and a method of its discovery document, which also says how the method pages and where a response
holds its items. The documents come with google-api-python-client: nothing is asked for them.
"""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

import google_auth_httplib2
import httplib2
from google.auth.credentials import Credentials
from google.auth.exceptions import GoogleAuthError, RefreshError, TransportError
from googleapiclient import discovery
from googleapiclient.errors import HttpError

from tasks.clients import google_responses
from tasks.clients.client import READ_SECONDS, ApiPolicy, ErrorResponse, RateLimitedClient, Response
from tasks.clients.google_documents import discovery_document, is_paged, lists_of, method_of, scopes_of
from tasks.clients.google_errors import LONGEST_REASON, WITHOUT_SCOPE, refusal
from tasks.clients.google_scopes import narrowest
from tasks.clients.rate_limiter import RateLimit
from tasks.engine import calls
from tasks.failures import CallFailed, Failure
from tasks.resource import Call, Fetch

__all__ = [
    "GoogleApi",
    "described",
    "discovery_document",
    "is_paged",
    "lists_of",
    "method_of",
    "refusal",
    "terms",
    "with_lists",
]

_UNREFRESHED: Final = RefreshError.__name__

_of_thread = threading.local()
_renewing: Final = threading.Lock()


def terms(limits: Mapping[str, RateLimit], in_flight: int) -> ApiPolicy:
    """`limits`: of each service, a bucket of its own."""

    def limit(action: str) -> tuple[str, RateLimit]:
        service = action.partition(":")[0]
        return service, limits[service]

    return ApiPolicy(limit=limit, in_flight=in_flight, classify_error=refusal)


@dataclass(kw_only=True)
class GoogleApi(RateLimitedClient):
    """Google's services for one tenant.

    identity   whose calls they are
    endpoint   the root in place of each service's own; "" for that
    fixed      parameters that each method is given which takes them, `customer`, `project`; in the text of others they
               stand in braces, as in `projects/{project}`
    """

    identity: Credentials
    endpoint: str = ""
    fixed: Mapping[str, str] = field(default_factory=dict)

    async def pages(self, action: str, **parameters: Any) -> AsyncIterator[Any]:
        """The body of every page; a list that Google left out, because nothing is in it, is there and empty.

        After the last page it raises CallFailed where a response said that it isn't whole.
        """
        collection, method = self._collection(action), action.rpartition(".")[2]
        request = getattr(collection, method)(**self._all(action, parameters))
        following: Callable[[Any, Any], Any] | None = getattr(collection, f"{method}_next", None)
        seen, unseen = set[str](), dict[str, None]()
        while request is not None:
            body = await self._body(action, request)
            token = body.get("nextPageToken")
            if token and following is None:
                raise CallFailed(Failure.INVALID_RESPONSE, action, "it has a next page, and the method takes no token")
            if token and token in seen:
                raise CallFailed(Failure.INVALID_RESPONSE, action, "the next page is one that was read before")
            seen.add(token or "")
            unseen |= dict.fromkeys(google_responses.unseen(action, body))
            yield with_lists(body, self.items_paths(action))
            request = following(request, body) if following and token else None
        if unseen:
            told = f"Google says that its response isn't whole: {', '.join(sorted(unseen))}"
            raise CallFailed(Failure.UNEXPECTED, action, told[:LONGEST_REASON], code="UNREACHABLE")

    async def _body(self, action: str, request: Any) -> dict[str, Any]:
        """A response to the request that is one. Raises CallFailed."""
        try:
            response = await self.response(action, lambda: self._send(request))
        except CallFailed as error:
            if error.code in WITHOUT_SCOPE:
                takes = f"{action} (OAuth scope {narrowest(scopes_of(action))})"
                raise CallFailed(Failure.DENIED, takes, error.reason, code=error.code) from None
            if error.code == _UNREFRESHED and error.failure is Failure.DENIED and self._asked_for:
                takes = f"{action} (OAuth scopes {', '.join(self._asked_for)})"
                raise CallFailed(Failure.DENIED, takes, error.reason, code=error.code) from None
            raise
        if said := google_responses.wrong_with(action, response.body):
            raise CallFailed(Failure.INVALID_RESPONSE, action, said)
        body: dict[str, Any] = response.body
        return body

    @property
    def _asked_for(self) -> tuple[str, ...]:
        """The scopes of its tokens, where the credentials say which."""
        return tuple(getattr(self.identity, "scopes", None) or ())

    async def read_all(self, action: str, **parameters: Any) -> Any:
        """The body of an action as one, with the items of every page."""
        pages = [page async for page in self.pages(action, **parameters)]
        whole: dict[str, Any] = pages[0]
        for page in pages[1:]:
            for path in self.items_paths(action):
                whole[path] = [*whole[path], *page[path]]
        return whole

    def items_paths(self, action: str) -> tuple[str, ...]:
        return lists_of(action)

    def _collection(self, action: str) -> Any:
        service, _, path = action.partition(":")
        found = _built(service, self.endpoint)
        for name in path.split(".")[:-1]:
            found = getattr(found, name)()
        return found

    def _all(self, action: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        taken = method_of(action).get("parameters", {})
        given = {name: value for name, value in self.fixed.items() if name in taken}
        return given | {name: self._filled(value) for name, value in parameters.items()}

    def _filled(self, value: Any) -> Any:
        for name, fixed in self.fixed.items() if isinstance(value, str) else ():
            value = value.replace(f"{{{name}}}", fixed)
        return value

    def _send(self, request: Any) -> Response | ErrorResponse:
        heads: list[Mapping[str, str]] = []
        request.add_response_callback(heads.append)
        try:
            body = request.execute(http=_http(self.identity), num_retries=0)
            kind = heads[-1].get("content-type", "") if heads else ""
            if "json" not in kind:  # whoever it is that answers, it isn't Google
                return ErrorResponse(
                    Failure.INVALID_RESPONSE, "", f"the response is {kind[:80] or 'of no type'}, not JSON"
                )
            return Response(200, {}, body)
        except HttpError as error:
            return Response(int(error.resp.status), {k.lower(): v for k, v in error.resp.items()}, _json(error.content))
        except RefreshError as error:
            away = error.retryable or isinstance(error.__cause__, TransportError)
            reason = f"no token is given: {error.args[0]}"[:LONGEST_REASON]
            return ErrorResponse(Failure.TRANSIENT if away else Failure.DENIED, _UNREFRESHED, reason)
        except (httplib2.HttpLib2Error, OSError, TransportError) as error:
            return ErrorResponse(Failure.TRANSIENT, "", type(error).__name__)
        except GoogleAuthError as error:
            return ErrorResponse(Failure.DENIED, type(error).__name__, str(error)[:LONGEST_REASON])
        except (ValueError, RecursionError):
            return ErrorResponse(Failure.INVALID_RESPONSE, "", "the response is no JSON")


def with_lists(body: dict[str, Any], paths: tuple[str, ...]) -> dict[str, Any]:
    """The response, with an empty list where it has none."""
    return {**{path: [] for path in paths}, **body}


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None


def _http(identity: Credentials) -> google_auth_httplib2.AuthorizedHttp:
    """The connections of the thread, as httplib2 wants it. No redirect is followed: it would be sent the token."""
    found: dict[Credentials, google_auth_httplib2.AuthorizedHttp] = _of_thread.__dict__.setdefault("https", {})
    if identity not in found:
        http = httplib2.Http(timeout=READ_SECONDS)
        http.follow_redirects = False
        found[identity] = google_auth_httplib2.AuthorizedHttp(identity, http=http)
    http = found[identity]
    with _renewing:  # one of many calls that start together asks for the token
        if not identity.valid:
            identity.refresh(google_auth_httplib2.Request(http.http))  # type: ignore[no-untyped-call]
    return http


@cache
def _built(service: str, endpoint: str) -> Any:
    """Google's client of a service, made once per process."""
    document = discovery_document(service)
    options = {"api_endpoint": f"{endpoint.rstrip('/')}/{document['servicePath']}"} if endpoint else None
    return discovery.build_from_document(document, http=httplib2.Http(), client_options=options)


def described(permission: Callable[[str], str | None]) -> Callable[[Fetch], tuple[Call, ...]]:
    """The calls of a fetch. `permission`: what an action needs."""

    def one(action: str) -> Call:
        return Call(call=action, permission=permission(action), paged=is_paged(action))

    return lambda fetch: calls.of(fetch, one)
