"""GitHub's GraphQL: points an hour of each token, limits of the moment, and previews that must be asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from tasks.clients.api_client import Response
from tasks.clients.client import ErrorResponse
from tasks.clients.graphql_api import Document, GraphqlApi
from tasks.clients.graphql_errors import classify_graphql_error
from tasks.clients.http import HttpService
from tasks.clients.http_errors import retry_after, seconds_until
from tasks.clients.rate_limiter import RateLimit, RateLimiter
from tasks.engine import calls
from tasks.failures import CallFailed, Failure
from tasks.github import configuration, scopes
from tasks.github.access import GithubAccess
from tasks.resource import Call, Fetch, Tenant

# Asked for in every document: what it cost, and what is left of the hour.
RATE_LIMIT: Final = "rateLimit { cost limit remaining resetAt }"
RESERVE: Final = 0.05  # of the hour's points: a token is often used by others as well
LONGEST_WAIT_SECONDS: Final = 3_700.0  # the points are new every hour: who is told to wait longer, asks again then
SECONDARY_SECONDS: Final = 60.0  # GitHub's own advice where it doesn't say how long

# GitHub takes 2,000 points a minute, and a minute of its own computing per minute: few at a time.
_LIMIT: Final = RateLimit(initial=4, maximum=15)
_MANIFESTS_PREVIEW: Final = "application/vnd.github.hawkgirl-preview+json"


def refusal(response: Response) -> ErrorResponse | None:
    """As any GraphQL, and GitHub's two kinds of limits, which it says with any status, by words or by headers."""
    found = classify_graphql_error(response)
    if found is None or not _is_limit(response, found):
        return found
    wait = retry_after(response)
    if wait is None:
        wait = (
            _until(response, response.headers.get("x-ratelimit-reset")) if _is_used_up(response) else SECONDARY_SECONDS
        )
    return ErrorResponse(Failure.THROTTLED, found.code, found.reason, min(wait, LONGEST_WAIT_SECONDS))


def _is_limit(response: Response, found: ErrorResponse) -> bool:
    """Points that are used up explain what nothing else does; what has a reason of its own would fail again after them.

    Of a refusal with a header that says how long to wait, it is the reason.
    """
    if found.failure is Failure.THROTTLED or (
        retry_after(response) is not None and found.failure is not Failure.NOT_FOUND
    ):
        return True
    if response.status == 403:
        return _is_used_up(response) or "rate limit" in found.reason.lower()
    unexplained = found.failure in (Failure.TRANSIENT, Failure.INVALID_RESPONSE) or not found.code
    return _is_used_up(response) and unexplained


def _is_used_up(response: Response) -> bool:
    return response.headers.get("x-ratelimit-remaining") == "0"


def exhausted(response: Response) -> float:
    """Seconds until the hour's points are new, once what is left wouldn't do for the same query and the reserve."""
    try:
        limits = response.body["data"]["rateLimit"]
        if limits["remaining"] > limits["limit"] * RESERVE + limits["cost"]:
            return 0.0
        reset = str(int(datetime.fromisoformat(limits["resetAt"]).timestamp()))
    except (LookupError, TypeError, ValueError):  # a server without limits says nothing of them
        return 0.0
    return min(_until(response, reset), LONGEST_WAIT_SECONDS)


def _until(response: Response, reset: str | None) -> float:
    return seconds_until(response, float(reset)) if reset and reset.isdigit() else SECONDARY_SECONDS


SERVICE: Final = HttpService(
    limit=lambda action: ("points", _LIMIT), in_flight=5, classify_error=refusal, exhausted=exhausted
)


async def connect(tenant: Tenant, region: str, rate_limiter: RateLimiter) -> GraphqlApi:
    """Raises CallFailed where this machine's configuration has no such organization."""
    variable = GithubAccess.from_json(tenant.access).config_variable
    organization = _of(tenant, variable)

    def headers() -> Mapping[str, str]:
        return {"Authorization": f"Bearer {_of(tenant, variable).token}", "Accept": _MANIFESTS_PREVIEW}

    return GraphqlApi(
        tenant=tenant,
        policy=SERVICE,
        rate_limiter=rate_limiter,
        credentials=organization.credentials,
        base_url=organization.base_url,
        headers=headers,
        variables={"login": organization.login},
    )


def _of(tenant: Tenant, variable: str) -> configuration.Organization:
    try:
        found = {one.tenant: one for one in configuration.read(variable)}
    except ValueError as error:
        raise CallFailed(Failure.DENIED, f"variable {variable}", str(error), code="NotUsable") from None
    if tenant.id not in found:
        raise CallFailed(Failure.DENIED, f"variable {variable}", f"has no organization {tenant.id}", code="NotThere")
    return found[tenant.id]


def described(fetch: Fetch) -> tuple[Call, ...]:
    """The calls of a fetch, each with the scopes that its document's fields need."""
    documents: Sequence[Document] = getattr(fetch, "documents", ())
    needed = {document.action: ", ".join(scopes.least(document.text)) for document in documents}
    return calls.of(fetch, lambda action: Call(call=action, permission=needed[action]))
