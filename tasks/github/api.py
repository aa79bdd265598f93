"""GitHub's GraphQL API: points per hour and token, secondary rate limits, and previews."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from tasks.engine import calls
from tasks.github import configuration, scopes
from tasks.github.access import GithubAccess
from tasks.provider import (
    Call,
    CallFailed,
    Document,
    ErrorResponse,
    Failure,
    Fetch,
    GraphqlApi,
    HttpService,
    RateLimit,
    RateLimiter,
    Response,
    Tenant,
    classify_graphql_error,
    retry_after,
    seconds_until,
)
from tasks.waits import number_of

# In every document: what it cost, and what is left of the hour.
RATE_LIMIT: Final = "rateLimit { cost limit remaining resetAt }"
RESERVE: Final = 0.05  # of the hour's points are left to others, who often use the same token
SECONDARY_SECONDS: Final = 60.0  # what GitHub advises if it doesn't say how long

# GitHub allows 2,000 points per minute, and 60 s of its CPU time per minute: few concurrent calls.
_LIMIT: Final = RateLimit(initial=4, maximum=15)
_MANIFESTS_PREVIEW: Final = "application/vnd.github.hawkgirl-preview+json"


def classify_error(response: Response) -> ErrorResponse | None:
    """As for any GraphQL API, and GitHub's two kinds of limits, reported with any status, by text or by headers."""
    error = classify_graphql_error(response)
    if error is None or not _is_limit(response, error):
        return error
    wait = retry_after(response)
    if wait is None:
        wait = (
            _until(response, response.headers.get("x-ratelimit-reset")) if _is_used_up(response) else SECONDARY_SECONDS
        )
    return ErrorResponse(Failure.THROTTLED, error.code, error.reason, wait)


def _is_limit(response: Response, error: ErrorResponse) -> bool:
    """Whether an error is due to a limit: it says so, it has a Retry-After header, or points are used up and nothing
    else explains it. An error with a reason of its own would recur after the wait.
    """
    if error.failure is Failure.THROTTLED or (
        retry_after(response) is not None and error.failure is not Failure.NOT_FOUND
    ):
        return True
    if response.status == 403:
        return _is_used_up(response) or "rate limit" in error.reason.lower()
    unexplained = error.failure in (Failure.TRANSIENT, Failure.INVALID_RESPONSE) or not error.code
    return _is_used_up(response) and unexplained


def _is_used_up(response: Response) -> bool:
    return response.headers.get("x-ratelimit-remaining") == "0"


def exhausted(response: Response) -> float:
    """Seconds until the points reset, if what is left doesn't cover the same query and the reserve."""
    try:
        limits = response.body["data"]["rateLimit"]
        if limits["remaining"] > limits["limit"] * RESERVE + limits["cost"]:
            return 0.0
        reset = str(int(datetime.fromisoformat(limits["resetAt"]).timestamp()))
    except (LookupError, TypeError, ValueError, OverflowError):  # a server without limits
        return 0.0
    return _until(response, reset)


def _until(response: Response, reset: str | None) -> float:
    moment = number_of(reset or "")
    return SECONDARY_SECONDS if moment is None else seconds_until(response, moment)


SERVICE: Final = HttpService(
    limit=lambda action: ("points", _LIMIT), in_flight=5, classify_error=classify_error, exhausted=exhausted
)


async def connect(tenant: Tenant, region: str, rate_limiter: RateLimiter) -> GraphqlApi:
    """Raises CallFailed if this machine's configuration has no such organization."""
    variable = GithubAccess.from_json(tenant.access).config_variable
    organization = _organization(tenant, variable)

    def headers() -> Mapping[str, str]:
        return {"Authorization": f"Bearer {_organization(tenant, variable).token}", "Accept": _MANIFESTS_PREVIEW}

    return GraphqlApi(
        tenant=tenant,
        policy=SERVICE,
        rate_limiter=rate_limiter,
        credentials=organization.credentials,
        base_url=organization.base_url,
        headers=headers,
        variables={"login": organization.login},
    )


def _organization(tenant: Tenant, variable: str) -> configuration.Organization:
    try:
        organizations = {organization.tenant: organization for organization in configuration.read(variable)}
    except ValueError as error:
        raise CallFailed(Failure.DENIED, f"variable {variable}", str(error), code="NotUsable") from None
    if tenant.id not in organizations:
        raise CallFailed(Failure.DENIED, f"variable {variable}", f"has no organization {tenant.id}", code="NotThere")
    return organizations[tenant.id]


def github_calls(fetch: Fetch) -> tuple[Call, ...]:
    """The calls of a fetch, each with the scopes that its document's fields need."""
    documents: Sequence[Document] = getattr(fetch, "documents", ())
    needed = {document.action: ", ".join(scopes.least(document.text)) for document in documents}
    return calls.of(fetch, lambda action: Call(call=action, permission=needed[action]))
