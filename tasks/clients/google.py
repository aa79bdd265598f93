"""The client of Google's APIs: Google's own library, within the fleet's rate limits, retried by class of failure.

    USERS = listing("directory:users.list", maxResults=500)

An action is a service and a method of its discovery document, which also says how the method pages and where a response
holds its items. The documents come with google-api-python-client: no request is made for them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from google.auth.credentials import Credentials

from tasks.clients import google_responses
from tasks.clients.api_client import ApiClient, ApiPolicy
from tasks.clients.google_documents import is_paged, lists_of, method_of, scopes_of
from tasks.clients.google_errors import MAX_REASON, WITHOUT_SCOPE, classify_google_error
from tasks.clients.google_requests import UNREFRESHED, execute, service_client
from tasks.clients.google_scopes import narrowest
from tasks.clients.page_limits import PageLimits
from tasks.clients.rate_limiter import RateLimit
from tasks.engine import calls
from tasks.failures import CallFailed, Failure
from tasks.resource import Call, Fetch


def google_policy(limits: Mapping[str, RateLimit], in_flight: int) -> ApiPolicy:
    """`limits`: by service, each with a bucket of its own."""

    def limit(action: str) -> tuple[str, RateLimit]:
        service = action.partition(":")[0]
        return service, limits[service]

    return ApiPolicy(limit=limit, in_flight=in_flight, classify_error=classify_google_error)


def google_calls(permission: Callable[[str], str | None]) -> Callable[[Fetch], tuple[Call, ...]]:
    """Describes the calls of a fetch. `permission`: what an action needs."""

    def describe(action: str) -> Call:
        return Call(call=action, permission=permission(action), paged=is_paged(action))

    return lambda fetch: calls.of(fetch, describe)


@dataclass(kw_only=True)
class GoogleApi(ApiClient):
    """Google's services for one tenant.

    identity   the credentials
    endpoint   the root in place of each service's own; "" for the service's own
    fixed      parameters (`customer`, `project`) for every method that accepts them; in the text of other parameters
               they stand in braces: `projects/{project}`
    """

    identity: Credentials
    endpoint: str = ""
    fixed: Mapping[str, str] = field(default_factory=dict)

    async def pages(self, action: str, **parameters: Any) -> AsyncIterator[Any]:
        """The body of every page. Google omits an empty list; here it is there, and empty.

        Raises CallFailed after the last page if a response said that it was incomplete.
        """
        collection, method = self._collection(action), action.rpartition(".")[2]
        request = getattr(collection, method)(**self._parameters(action, parameters))
        next_request: Callable[[Any, Any], Any] | None = getattr(collection, f"{method}_next", None)
        seen, missing, limits = set[str](), dict[str, None](), PageLimits(action)
        while request is not None:
            body = await self._body(action, request)
            token = body.get("nextPageToken")
            if token and next_request is None:
                reason = "there is a next page, and the method has no parameter for its token"
                raise CallFailed(Failure.INVALID_RESPONSE, action, reason)
            if token and token in seen:
                raise CallFailed(Failure.INVALID_RESPONSE, action, "the next page is one that was read before")
            seen.add(token or "")
            limits.check(body)
            missing |= dict.fromkeys(google_responses.missing_from(action, body))
            yield with_lists(body, self.items_paths(action))
            request = next_request(request, body) if next_request and token else None
        if missing:
            reason = f"Google says that the response is incomplete: {', '.join(sorted(missing))}"
            raise CallFailed(Failure.UNEXPECTED, action, reason[:MAX_REASON], code="UNREACHABLE")

    async def read_all(self, action: str, **parameters: Any) -> Any:
        """The body of an action with the items of every page in it."""
        pages = [page async for page in self.pages(action, **parameters)]
        merged: dict[str, Any] = pages[0]
        for page in pages[1:]:
            for path in self.items_paths(action):
                merged[path] = [*merged[path], *page[path]]
        return merged

    def items_paths(self, action: str) -> tuple[str, ...]:
        return lists_of(action)

    async def _body(self, action: str, request: Any) -> dict[str, Any]:
        """The body of a response to this action. Raises CallFailed."""
        try:
            response = await self.response(action, lambda: execute(request, self.identity))
        except CallFailed as error:
            if error.code in WITHOUT_SCOPE:
                needed = f"{action} (OAuth scope {narrowest(scopes_of(action))})"
                raise CallFailed(Failure.DENIED, needed, error.reason, code=error.code) from None
            if error.code == UNREFRESHED and error.failure is Failure.DENIED and self._requested_scopes:
                requested = f"{action} (OAuth scopes {', '.join(self._requested_scopes)})"
                raise CallFailed(Failure.DENIED, requested, error.reason, code=error.code) from None
            raise
        if problem := google_responses.problem_with(action, response.body):
            raise CallFailed(Failure.INVALID_RESPONSE, action, problem)
        body: dict[str, Any] = response.body
        return body

    @property
    def _requested_scopes(self) -> tuple[str, ...]:
        """The scopes of its tokens, if the credentials know them."""
        return tuple(getattr(self.identity, "scopes", None) or ())

    def _collection(self, action: str) -> Any:
        service, _, path = action.partition(":")
        collection = service_client(service, self.endpoint)
        for name in path.split(".")[:-1]:
            collection = getattr(collection, name)()
        return collection

    def _parameters(self, action: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        accepted = method_of(action).get("parameters", {})
        fixed = {name: value for name, value in self.fixed.items() if name in accepted}
        return fixed | {name: self._substituted(value) for name, value in parameters.items()}

    def _substituted(self, value: Any) -> Any:
        for name, fixed in self.fixed.items() if isinstance(value, str) else ():
            value = value.replace(f"{{{name}}}", fixed)
        return value


def with_lists(body: dict[str, Any], paths: tuple[str, ...]) -> dict[str, Any]:
    """The response, with an empty list where it has none."""
    return {**{path: [] for path in paths}, **body}
