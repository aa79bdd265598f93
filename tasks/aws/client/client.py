"""The AWS API of one tenant in one region: calls within the rate limit, retried by class of failure, read by pages."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from aiobotocore.config import AioConfig
from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError, CredentialRetrievalError
from botocore.parsers import ResponseParserError

from loaders.model import at
from loaders.scope import GLOBAL
from tasks.aws.client import credentials, endpoints
from tasks.aws.client.client_pool import Clients
from tasks.aws.client.failures import MAYBE_NOT_ENABLED, classify, code_of
from tasks.aws.client.paging import Paging, paging
from tasks.aws.client.permissions import permission
from tasks.aws.client.transport import SharedTrust
from tasks.clients.client import CONNECT_SECONDS, READ_SECONDS, Bucket, ErrorResponse, RateLimitedClient
from tasks.clients.page_limits import PageLimits
from tasks.clients.rate_limiter import RateLimit, RateLimiter
from tasks.clients.response_limits import ResponseLimitExceeded, too_deep
from tasks.engine.concurrency import CALLS_IN_FLIGHT
from tasks.engine.responses import objects_of
from tasks.failures import CallFailed, Failure
from tasks.resource import Tenant
from tasks.waits import retry_after_of

# Of one client, which all accounts share: as many as the scopes in flight may need, since whoever waits for one holds a
# place in the fleet's rate.
MAX_CONNECTIONS: Final = 40 * CALLS_IN_FLIGHT
# One attempt per call: throttles must reach the fleet's rate limiter, not be waited for inside one client.
_CONFIG: Final = AioConfig(
    retries={"total_max_attempts": 1, "mode": "standard"},
    connect_timeout=CONNECT_SECONDS,
    read_timeout=READ_SECONDS,
    max_pool_connections=MAX_CONNECTIONS,
    user_agent_extra="chartfleet",
    http_session_cls=SharedTrust,
)
# Initial and maximum rates, in calls per second. EC2 refills 20/s up to 100; S3 allows thousands per prefix.
_LIMITS: Final = {
    "s3": RateLimit(initial=300, maximum=1000),
    "iam": RateLimit(initial=20, maximum=60),
    "route53": RateLimit(initial=5, maximum=10),  # per account; refilled by 10/s up to 50
}
_LIMIT: Final = RateLimit(initial=50, maximum=200)

_MAX_REASON: Final = 200  # characters
_LISTS_BUCKETS: Final = "s3:ListBuckets"
_REGION: Final = re.compile(r"[a-z]+(-[a-z]+)+-\d{1,2}")  # nothing else may become part of a host name

_clients: Final = Clients()  # of this process


@dataclass(slots=True)
class AwsApi(RateLimitedClient):
    """One tenant and region. `calls` counts the requests sent.

    Once buckets have been listed, calls for a bucket go to its region. Elsewhere S3 redirects them or, for a bucket in
    an opt-in region, rejects the keys.
    """

    tenant: Tenant
    region: str
    rate_limiter: RateLimiter
    partition: str
    calls: int = 0
    _bucket_regions: dict[str, str] = field(default_factory=dict, init=False, repr=False)

    @property
    def at_a_time(self) -> int:
        return CALLS_IN_FLIGHT

    async def call(self, action: str, **parameters: Any) -> Mapping[str, Any]:
        """The response of `service:Operation`. Raises CallFailed; RetryLater where the wait would be long."""
        service = action.partition(":")[0]
        region = self._region_for(service, parameters)
        place = self.region if region == self._region else region
        bucket = Bucket(f"aws:{self.tenant.id}:{place}:{service}", _LIMITS.get(service, _LIMIT))
        return await self.send_with_retries(
            action, bucket, lambda attempt: self._send(action, parameters, region, attempt)
        )

    async def _send(
        self, action: str, parameters: Mapping[str, Any], region: str, attempt: int
    ) -> Mapping[str, Any] | ErrorResponse:
        service, operation = action.split(":")
        try:
            async with _clients.use(self.tenant.access, region, service, _CONFIG) as client:
                response: Mapping[str, Any] = await getattr(client, xform_name(operation))(**parameters)
        except RecursionError:  # a policy within the response, which botocore decodes
            return ErrorResponse(Failure.INVALID_RESPONSE, "", str(too_deep()), may_retry=False)
        except (AttributeError, LookupError, TypeError) as error:  # of botocore's handlers, which decode policies
            reason = f"the response has something else than its model says: {error}"[:_MAX_REASON]
            return ErrorResponse(Failure.INVALID_RESPONSE, "", reason, cause=error)
        except (ClientError, BotoCoreError, ResponseParserError, OSError, ValueError) as error:
            return await self._error_response(action, error, region, attempt)
        if action == _LISTS_BUCKETS:
            self._bucket_regions |= _regions_of(response)
        return response

    async def _error_response(self, action: str, error: Exception, region: str, attempt: int) -> ErrorResponse:
        service = action.partition(":")[0]
        if self._is_not_in(region, error, service, attempt):
            code = f"not available in {region}"
            return ErrorResponse(Failure.NOT_ENABLED, code, reason_of(error), cause=error)
        failure = await self._judge(error, service, region)
        return ErrorResponse(
            failure,
            code_of(error),
            reason_of(error),
            retry_after_seconds=_retry_after(error),
            action=_named(action, failure, error),
            cause=error,
            may_retry=not isinstance(error, ResponseLimitExceeded),
        )

    async def pages(self, action: str, **parameters: Any) -> AsyncIterator[Mapping[str, Any]]:
        """Every response of a call, page by page; a single response if it doesn't page.

        Only the tokens of the last page are sent, and a token that was sent before ends the listing with an error.
        """
        pages, tokens = paging(action), dict[str, Any]()
        seen, limits = set[bytes](), PageLimits(action)
        while True:
            response = await self.call(action, **{**parameters, **tokens})
            limits.check({name: value for name, value in response.items() if name != "ResponseMetadata"})
            yield response
            if pages is None:
                return
            tokens = _tokens(action, pages, response)
            if not tokens:
                if pages.says_more(response):
                    raise CallFailed(Failure.INVALID_RESPONSE, action, "the response has more pages, but no token")
                return
            if (mark := _mark(tokens)) in seen:
                reason = f"the token of the next page was used before: {tokens!r:.80}"
                raise CallFailed(Failure.INVALID_RESPONSE, action, reason)
            seen.add(mark)

    async def read_all(self, action: str, **parameters: Any) -> Mapping[str, Any]:
        """The response of a call with the items of all pages."""
        paged = paging(action)
        pages = [page async for page in self.pages(action, **parameters)]
        if paged is None or not paged.results:
            return pages[0]
        for path in paged.results[: 0 if paged.derived and len(paged.results) > 1 else 1]:
            if any(
                _list_at(action, path, page) is None for page in pages
            ):  # truncated: the others must not count as all
                raise CallFailed(Failure.INVALID_RESPONSE, action, f"the response has no {path}")
        merged: dict[str, Any] = {**pages[0]}
        for path in paged.results:
            _put(merged, path, [item for page in pages for item in _list_at(action, path, page) or ()])
        return merged

    def items_paths(self, action: str) -> tuple[str, ...]:
        """The paths of the lists in a response. Raises CallFailed if botocore's model doesn't determine them."""
        pages = paging(action)
        if pages is None or (pages.derived and len(pages.results) != 1):
            raise CallFailed(
                Failure.INVALID_RESPONSE,
                action,
                "the list with its items is not known: its declaration must have items_path=",
            )
        return pages.results

    def _region_for(self, service: str, parameters: Mapping[str, Any]) -> str:
        bucket = str(parameters.get("Bucket")) if service == "s3" else ""
        return self._bucket_regions.get(bucket) or endpoints.region_of(service, self._region, self.partition)

    def _is_not_in(self, region: str, error: Exception, service: str, attempt: int) -> bool:
        """Whether the service, or this call of it, is not available in the region."""
        if endpoints.says_no_such_call(error, region):
            return True
        return attempt > 1 and endpoints.says_not_there(error, service, region, self.partition)

    @property
    def _region(self) -> str:
        return credentials.home_region(self.partition) if self.region == GLOBAL else self.region

    async def _judge(self, error: Exception, service: str, region: str) -> Failure:
        """The class of an error. If a region rejects valid keys, AWS is asked whether the region is enabled.

        Some enabled regions reject session tokens of the global STS endpoint: their resources are not seen, but must
        not count as absent.
        """
        if code_of(error) not in MAYBE_NOT_ENABLED:
            return classify(error, service)
        if self.region == GLOBAL and region == endpoints.region_of(service, self._region, self.partition):
            return Failure.DENIED
        home = replace(self, region=GLOBAL)
        try:
            response = await home.call("ec2:DescribeRegions", RegionNames=[region], AllRegions=True)
        except CallFailed:
            return Failure.DENIED
        regions = objects_of(response.get("Regions"))
        disabled = any(region.get("OptInStatus") == "not-opted-in" for region in regions)
        return Failure.NOT_ENABLED if disabled else Failure.DENIED

    def renew(self) -> bool:
        """Make the next call read this machine's credentials again. Clients hold none."""
        credentials.forget(self.tenant.access)
        return True


async def close() -> None:
    """Close every client of this process."""
    await _clients.close()
    credentials.forget_all()


def _regions_of(buckets: Mapping[str, Any]) -> dict[str, str]:
    """The region of each bucket on a page, where given."""
    named = [(bucket.get("Name"), bucket.get("BucketRegion")) for bucket in objects_of(buckets.get("Buckets"))]
    return {
        name: region
        for name, region in named
        if isinstance(name, str) and isinstance(region, str) and _REGION.fullmatch(region)
    }


def _list_at(action: str, path: str, page: Mapping[str, Any]) -> list[Any] | None:
    """Raises CallFailed where there is something else than a list."""
    try:
        found: object = at(path, page)
    except TypeError as error:
        raise CallFailed(Failure.INVALID_RESPONSE, action, f"the response has no list at {path}: {error}") from None
    if found is None or isinstance(found, list):
        return found
    raise CallFailed(Failure.INVALID_RESPONSE, action, f"{path} is not a list")


def _tokens(action: str, pages: Paging, response: Mapping[str, Any]) -> dict[str, Any]:
    """The tokens of the next page; {} after the last one. Raises CallFailed for what only looks like none."""
    tokens = pages.following(response)
    for name, token in tokens.items():
        if not token or not isinstance(token, str | dict):  # a few operations have a key as their token
            raise CallFailed(Failure.INVALID_RESPONSE, action, f"{name} of the next page is {token!r:.40}")
    return tokens


def _mark(tokens: Mapping[str, Any]) -> bytes:
    """A hash of a page's tokens: there may be thousands of pages, and a token may have several kB."""
    return hashlib.blake2b(repr(sorted(tokens.items())).encode(), digest_size=16).digest()


def _put(response: dict[str, Any], path: str, value: Any) -> None:
    """Set the value at a path, without changing the objects of the original response."""
    *around, last = path.split(".")
    for name in around:
        response[name] = dict(response.get(name) or {})
        response = response[name]
    response[last] = value


def _retry_after(error: Exception) -> float | None:
    if not isinstance(error, ClientError):
        return None
    return retry_after_of(error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {}))


def _named(action: str, failure: Failure, error: Exception) -> str:
    """The action that failed; if it was denied, the permission that a policy has to allow.

    A call may fail while getting its credentials, which is a call of its own: sts:AssumeRole.
    """
    operation = error.operation_name if isinstance(error, ClientError) else action.split(":")[1]
    if operation.startswith("AssumeRole"):
        return f"sts:{operation}"
    return permission(action) if failure is Failure.DENIED else action


def reason_of(error: Exception) -> str:
    """AWS's own message, shortened, without the encoded authorization message, which is long and not readable.

    The output of a credential process is omitted, because it may contain credentials.
    """
    if isinstance(error, ResponseLimitExceeded):
        return str(error)
    if isinstance(error, CredentialRetrievalError):
        return f"{type(error).__name__}: {error.kwargs.get('provider')} failed"
    if isinstance(error, ClientError):
        message = str(error.response.get("Error", {}).get("Message", "")).split(" Encoded authorization")[0]
        return f"{code_of(error)}: {message[:200]}"
    return f"{type(error).__name__}: {str(error)[:200]}"
