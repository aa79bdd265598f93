"""The AWS API of one tenant in one region: calls within the rate budget, retried by class of failure, read by pages."""

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
from tasks.aws.client.paging import paging
from tasks.aws.client.permissions import permission
from tasks.clients.client import CONNECT_SECONDS, READ_SECONDS, Bucket, ErrorResponse, RateLimitedClient
from tasks.clients.rate_limiter import RateLimit, RateLimiter
from tasks.engine.listing import CALLS_IN_FLIGHT
from tasks.failures import CallFailed, Failure
from tasks.resource import Tenant

# One try per call: throttles have to reach the fleet's budget instead of being slept away inside one client.
_CONFIG: Final = AioConfig(
    retries={"total_max_attempts": 1, "mode": "standard"},
    connect_timeout=CONNECT_SECONDS,
    read_timeout=READ_SECONDS,
    max_pool_connections=CALLS_IN_FLIGHT + 5,
    user_agent_extra="chartfleet",
)
# Where a bucket's rate begins, and its highest. EC2 refills 20/s from a store of 100; S3 takes thousands per prefix.
_LIMITS: Final = {
    "s3": RateLimit(initial=300, maximum=1000),
    "iam": RateLimit(initial=20, maximum=60),
    "route53": RateLimit(initial=5, maximum=10),  # of an account; a store of 50 is refilled by 10 a second
}
_LIMIT: Final = RateLimit(initial=50, maximum=200)

_LISTS_BUCKETS: Final = "s3:ListBuckets"
_REGION: Final = re.compile(r"[a-z]+(-[a-z]+)+-\d{1,2}")  # what becomes part of a host's name is no other than that

_clients: Final = Clients()  # of this process


@dataclass(slots=True)
class AwsApi(RateLimitedClient):
    """One tenant and region. `calls` counts the requests sent.

    Buckets are asked about in their own regions, once they were listed. Elsewhere S3 redirects; or, of a bucket in a
    region that accounts have to enable, it refuses the keys.
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
        )

    async def pages(self, action: str, **parameters: Any) -> AsyncIterator[Mapping[str, Any]]:
        """Every response of a call, page by page; one response where it doesn't page.

        The tokens of a page stand for the page: none of an earlier one is sent again, and none leads back.
        """
        pages, tokens = paging(action), dict[str, Any]()
        seen: set[bytes] = set()
        while True:
            response = await self.call(action, **{**parameters, **tokens})
            yield response
            if pages is None:
                return
            tokens = pages.following(response)
            if not tokens:
                if pages.says_more(response):
                    raise CallFailed(
                        Failure.INVALID_RESPONSE, action, "the response says that there is more, and not where"
                    )
                return
            if (mark := _mark(tokens)) in seen:
                told = f"the token of the next page was read before: {tokens!r:.80}"
                raise CallFailed(Failure.INVALID_RESPONSE, action, told)
            seen.add(mark)

    async def read_all(self, action: str, **parameters: Any) -> Mapping[str, Any]:
        """The response of a call as one, with the items of every page."""
        paged = paging(action)
        pages = [page async for page in self.pages(action, **parameters)]
        if paged is None or not paged.results:
            return pages[0]
        for path in paged.results[: 0 if paged.derived and len(paged.results) > 1 else 1]:
            if any(at(path, page) is None for page in pages):  # cut short: the rest must not read as all
                raise CallFailed(Failure.INVALID_RESPONSE, action, f"the response has no {path}")
        merged: dict[str, Any] = {**pages[0]}
        for path in paged.results:
            _put(merged, path, [one for page in pages for one in at(path, page) or ()])
        return merged

    def items_paths(self, action: str) -> tuple[str, ...]:
        """Every list of a response that botocore's model names. Raises CallFailed where the call doesn't page."""
        pages = paging(action)
        if pages is None or (pages.derived and len(pages.results) != 1):
            raise CallFailed(
                Failure.INVALID_RESPONSE, action, "which list holds its items: its declaration must say items_path="
            )
        return pages.results

    def _region_for(self, service: str, parameters: Mapping[str, Any]) -> str:
        bucket = str(parameters.get("Bucket")) if service == "s3" else ""
        return self._bucket_regions.get(bucket) or endpoints.region_of(service, self._region, self.partition)

    def _is_not_in(self, region: str, error: Exception, service: str, attempt: int) -> bool:
        """Whether the region hasn't got the service, or not this call of it."""
        if endpoints.says_no_such_call(error, region):
            return True
        return attempt > 1 and endpoints.says_not_there(error, service, region, self.partition)

    @property
    def _region(self) -> str:
        return credentials.home_region(self.partition) if self.region == GLOBAL else self.region

    async def _judge(self, error: Exception, service: str, region: str) -> Failure:
        """The class of an error; where a region refuses valid keys, AWS is asked whether it is enabled at all.

        One that is enabled refuses session tokens of the global STS endpoint in some regions: that isn't seeing, not
        a region without anything in it.
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
        closed = any(one.get("OptInStatus") == "not-opted-in" for one in response["Regions"])
        return Failure.NOT_ENABLED if closed else Failure.DENIED

    def renew(self) -> bool:
        """Make the next call read this machine's credentials again."""
        _clients.forget(self.tenant.access)
        credentials.forget(self.tenant.access)
        return True


async def close() -> None:
    """Close every client of this process."""
    await _clients.close()
    credentials.forget_all()


def _regions_of(buckets: Mapping[str, Any]) -> dict[str, str]:
    """The region of each bucket that a page names, as far as it says one."""
    listed = (one for one in buckets.get("Buckets") or () if one.get("Name"))
    return {one["Name"]: one["BucketRegion"] for one in listed if _REGION.fullmatch(one.get("BucketRegion") or "")}


def _mark(tokens: Mapping[str, Any]) -> bytes:
    """The tokens of a page, short: a listing may have many thousands of pages, and a token some kB."""
    return hashlib.blake2b(repr(sorted(tokens.items())).encode(), digest_size=16).digest()


def _put(response: dict[str, Any], path: str, value: Any) -> None:
    """Set what lies at a path, without changing what the response was made of."""
    *around, last = path.split(".")
    for name in around:
        response[name] = dict(response.get(name) or {})
        response = response[name]
    response[last] = value


def _retry_after(error: Exception) -> float | None:
    if not isinstance(error, ClientError):
        return None
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    try:
        return float(headers["retry-after"])
    except (KeyError, ValueError):
        return None


def _named(action: str, failure: Failure, error: Exception) -> str:
    """What failed: where it was denied, the permission that a policy has to allow.

    A call may fail at getting its credentials, which is another one: a role's trust doesn't let us in.
    """
    operation = error.operation_name if isinstance(error, ClientError) else action.split(":")[1]
    if operation.startswith("AssumeRole"):
        return f"sts:{operation}"
    return permission(action) if failure is Failure.DENIED else action


def reason_of(error: Exception) -> str:
    """AWS's own message, shortened. An encoded authorization message is left out: it is long, and says nothing here.

    So is what a program that gives credentials printed: it may hold them.
    """
    if isinstance(error, CredentialRetrievalError):
        return f"{type(error).__name__}: {error.kwargs.get('provider')} failed"
    if isinstance(error, ClientError):
        message = str(error.response.get("Error", {}).get("Message", "")).split(" Encoded authorization")[0]
        return f"{code_of(error)}: {message[:200]}"
    return f"{type(error).__name__}: {str(error)[:200]}"
