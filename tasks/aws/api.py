"""The AWS API of one tenant in one region: calls within the rate budget, retried by class of failure, read by pages."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Any, Final

import jmespath
from aiobotocore.config import AioConfig
from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError, CredentialRetrievalError
from botocore.parsers import ResponseParserError

from loaders.scope import GLOBAL
from tasks.aws import credentials, endpoints
from tasks.aws.clients import Clients
from tasks.aws.failures import MAYBE_NOT_ENABLED, classify, code_of
from tasks.aws.permissions import permission
from tasks.failures import CallFailed, Failure, Later
from tasks.listing import CALLS_IN_FLIGHT
from tasks.rate_budget import Budget, Limit
from tasks.resource import Tenant

MOST_TRIES: Final = 5
MOST_THROTTLES: Final = 6  # of one call in a row: then the scope waits, and not its worker
# One try per call: throttles have to reach the fleet's budget instead of being slept away inside one client.
_CONFIG: Final = AioConfig(
    retries={"total_max_attempts": 1, "mode": "standard"},
    connect_timeout=10,
    read_timeout=60,
    max_pool_connections=CALLS_IN_FLIGHT + 5,
    user_agent_extra="chartfleet",
)
# Where a bucket's rate begins, and its highest. EC2 refills 20/s from a store of 100; S3 takes thousands per prefix.
_LIMITS: Final = {
    "s3": Limit(initial=300, highest=1000),
    "iam": Limit(initial=20, highest=60),
    "route53": Limit(initial=5, highest=10),  # of an account; a store of 50 is refilled by 10 a second
}
_LIMIT: Final = Limit(initial=50, highest=200)

_clients: Final = Clients()  # of this process


@dataclass(slots=True)
class AwsApi:
    """One tenant and region. `calls` counts the requests sent."""

    tenant: Tenant
    region: str
    budget: Budget
    partition: str
    calls: int = 0

    @property
    def at_a_time(self) -> int:
        return CALLS_IN_FLIGHT

    async def call(self, action: str, **parameters: Any) -> Mapping[str, Any]:
        """The answer of `service:Operation`. Raises CallFailed, or Later where the wait would be long."""
        service, operation = action.split(":")
        bucket, limit = f"aws:{self.tenant.id}:{self.region}:{service}", _LIMITS.get(service, _LIMIT)
        tries, throttles, renewed = 0, 0, False
        while True:
            await self.budget.take(bucket, limit)
            self.calls += 1
            try:
                async with self._client(service) as client:
                    answer: Mapping[str, Any] = await getattr(client, xform_name(operation))(**parameters)
                return answer
            except (ClientError, BotoCoreError, ResponseParserError, OSError, ValueError) as error:
                failure, tries = await self._judge(error), tries + 1
                if tries > 1 and endpoints.says_not_there(error, service, self._region, self.partition):
                    told = f"not available in {self._region}"
                    raise CallFailed(Failure.NOT_ENABLED, action, reason_of(error), code=told) from error
                if failure is Failure.THROTTLED:
                    await self.budget.throttled(bucket, limit, _retry_after(error))
                    throttles += 1
                    if throttles == MOST_THROTTLES:
                        raise Later(f"{action}: throttled {throttles} times", after_seconds=60) from error
                elif failure in (Failure.TRANSIENT, Failure.BAD_ANSWER) and tries < MOST_TRIES:  # it may have been cut
                    await asyncio.sleep(random.uniform(0, min(20, 0.5 * 2**tries)))  # noqa: S311  # jitter, no secret
                elif failure is Failure.EXPIRED and not renewed:
                    renewed = True
                    self.renew()
                else:
                    raise CallFailed(
                        failure, _named(action, failure, error), reason_of(error), code=code_of(error)
                    ) from error

    async def pages(self, action: str, **parameters: Any) -> AsyncIterator[Mapping[str, Any]]:
        """Every answer of a call that pages as botocore's model says; one answer where it doesn't page."""
        service, operation = action.split(":")
        paging = credentials.paging(service, operation)
        while True:
            answer = await self.call(action, **parameters)
            yield answer
            following = _next_page(paging, answer) if paging else None
            if not following:
                if paging and _says_more(paging, answer):
                    raise CallFailed(Failure.BAD_ANSWER, action, "the answer says that there is more, and not where")
                return
            if all(parameters.get(name) == token for name, token in following.items()):
                raise CallFailed(
                    Failure.BAD_ANSWER, action, f"the token of the next page repeats itself: {following!r:.80}"
                )
            parameters |= following

    async def whole(self, action: str, **parameters: Any) -> Mapping[str, Any]:
        """The answer of a call as one, with the items of every page."""
        paging = credentials.paging(*action.split(":"))
        pages = [page async for page in self.pages(action, **parameters)]
        if paging is None:
            return pages[0]
        first, *others = result_paths(paging)
        if any(page.get(first) is None for page in pages):  # cut short: the rest must not read as all
            raise CallFailed(Failure.BAD_ANSWER, action, f"the answer has no {first}")
        merged = {path: [one for page in pages for one in page.get(path) or ()] for path in (first, *others)}
        return {**pages[0], **merged}

    def items_at(self, action: str) -> tuple[str, ...]:
        """Every list of an answer that botocore's model names. Raises CallFailed where the call doesn't page."""
        paging = credentials.paging(*action.split(":"))
        if paging is None:
            raise CallFailed(Failure.BAD_ANSWER, action, "doesn't page: its declaration must say items_at=")
        return result_paths(paging)

    def _client(self, service: str) -> AbstractAsyncContextManager[Any]:
        region = endpoints.region_of(service, self._region, self.partition)
        return _clients.use(self.tenant.access, region, service, _CONFIG)

    @property
    def _region(self) -> str:
        return credentials.home_region(self.partition) if self.region == GLOBAL else self.region

    async def _judge(self, error: Exception) -> Failure:
        """The class of an error; where a region refuses valid keys, AWS is asked whether it is enabled at all.

        One that is enabled refuses session tokens of the global STS endpoint in some regions: that isn't seeing, not
        a region without anything in it.
        """
        if code_of(error) not in MAYBE_NOT_ENABLED:
            return classify(error)
        if self.region == GLOBAL:
            return Failure.DENIED
        home = replace(self, region=GLOBAL)
        try:
            answer = await home.call("ec2:DescribeRegions", RegionNames=[self.region], AllRegions=True)
        except CallFailed:
            return Failure.DENIED
        closed = any(region.get("OptInStatus") == "not-opted-in" for region in answer["Regions"])
        return Failure.NOT_ENABLED if closed else Failure.DENIED

    def renew(self) -> None:
        """Let the next call read this machine's credentials anew."""
        _clients.forget(self.tenant.access)
        credentials.forget(self.tenant.access)


async def close() -> None:
    """Close every client of this process."""
    await _clients.close()
    credentials.forget_all()


def result_paths(paging: Mapping[str, Any]) -> tuple[str, ...]:
    """Where a paged answer holds its items."""
    return tuple(_list(paging["result_key"]))


def _next_page(paging: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any] | None:
    """The parameters of the next page, or None after the last."""
    if "more_results" in paging and not _says_more(paging, answer):
        return None
    inputs, outputs = _list(paging["input_token"]), _list(paging["output_token"])
    tokens = {name: jmespath.search(path, answer) for name, path in zip(inputs, outputs, strict=True)}
    return {name: token for name, token in tokens.items() if token} or None


def _says_more(paging: Mapping[str, Any], answer: Mapping[str, Any]) -> bool:
    return "more_results" in paging and bool(jmespath.search(paging["more_results"], answer))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _retry_after(error: Exception) -> float | None:
    headers = getattr(error, "response", {}).get("ResponseMetadata", {}).get("HTTPHeaders", {})
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
