"""The AWS API of one tenant in one region: calls within the rate budget, retried by class of failure, read by pages."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Any, Final

import jmespath
from aiobotocore.config import AioConfig
from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError, CredentialRetrievalError
from botocore.parsers import ResponseParserError

from loaders.model import at
from loaders.scope import GLOBAL
from tasks.aws import credentials, endpoints
from tasks.aws.clients import Clients
from tasks.aws.failures import MAYBE_NOT_ENABLED, classify, code_of
from tasks.aws.permissions import permission
from tasks.failures import CallFailed, Failure, Later
from tasks.rate_budget import Budget, Limit
from tasks.resource import Gap, Item, Tenant

MOST_TRIES: Final = 5
MOST_THROTTLES: Final = 6  # of one call in a row: then the scope waits, and not its worker
CALLS_IN_FLIGHT: Final = 25  # details of one scope at a time
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

    def _client(self, service: str) -> AbstractAsyncContextManager[Any]:
        return _clients.use(self.tenant.access, self._region, service, _CONFIG)

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


@dataclass(frozen=True, slots=True)
class Detail:
    """A call per item of a listing; its answer, read to the last page, is merged into the item under the operation's
    name. `each`: a call per element at this path, of what the item has by then, merged into the element. `only`: where
    these paths hold these values; of any other item the call isn't made.
    """

    action: str
    parameters: tuple[tuple[str, str], ...]
    none_if: tuple[str, ...]
    gap: bool
    each: str | None
    only: tuple[tuple[str, str], ...]
    constants: tuple[tuple[str, Any], ...]

    def places(self, item: dict[str, Any]) -> list[dict[str, Any]]:
        """What the detail is called for, and merged into."""
        found = [item] if self.each is None else at(self.each, item) or []
        return [place for place in found if all(at(path, place) == value for path, value in self.only)]

    @property
    def name(self) -> str:
        return self.action.split(":")[1]

    async def read(self, api: AwsApi, place: dict[str, Any]) -> None:
        parameters = {name: at(path, place) for name, path in self.parameters}
        if lacking := [path for name, path in self.parameters if not parameters[name]]:
            raise CallFailed(Failure.BAD_ANSWER, self.action, f"an item has no {lacking[0]}")
        place[self.name] = await api.whole(self.action, **parameters, **dict(self.constants))


@dataclass(frozen=True, slots=True)
class Beside:
    """Another listing of the same scope, read whole once there is an item: each has it, by the value at `by`.

    Where that path leads to many values, as it has `[]`, each value has a list of what was found under it.
    """

    listing: Listing
    by: str

    @property
    def name(self) -> str:
        return self.listing.action.split(":")[1]

    async def read(self, api: AwsApi) -> tuple[Mapping[str, Any], tuple[Gap, ...]]:
        """What was listed, and what of it could not be seen. Raises CallFailed where an item's details failed."""
        found: dict[str, Any] = {}
        gaps: list[Gap] = []
        async for item in self.listing.items(api, ""):
            if item.failure is not None:
                if item.failure.failure is Failure.GONE:
                    continue
                raise item.failure
            gaps += item.gaps
            under = at(self.by, item.value)
            if "[]" in self.by:
                for value in under or ():
                    found.setdefault(value, []).append(item.value)
            else:
                found[under] = item.value
        return found, tuple(gaps)


@dataclass(frozen=True, slots=True)
class Together:
    """One call for many items of a listing. Each has its part of the answer, found by the value at `by`, under the
    operation's name; an item that the answer leaves out has vanished.
    """

    action: str
    parameter: str
    path: str
    most: int
    by: str

    @property
    def name(self) -> str:
        return self.action.split(":")[1]

    async def read(self, api: AwsApi, values: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        found: dict[str, Any] = {}
        for start in range(0, len(values), self.most):
            asked = [key for value in values[start : start + self.most] if (key := at(self.path, value))]
            answer = await api.whole(self.action, **{self.parameter: asked})
            items, _, by = self.by.rpartition("[].")
            answered = at(items, answer)
            if answered is None:
                raise CallFailed(Failure.BAD_ANSWER, self.action, f"the answer has no {items}")
            found |= {at(by, one): one for one in answered}
        keys = [at(self.path, value) for value in values]
        named = [{**value, self.name: found[key]} for key, value in zip(keys, values, strict=True) if key in found]
        return named + [dict(value) for key, value in zip(keys, values, strict=True) if not key]  # kept aside as a row


@dataclass(frozen=True, slots=True)
class Listing:
    """A paged call, and the calls that its items need: each of them, or all together.

    items_at   where an answer holds them; every list that botocore's model names, unless it is said
    named      where the items are plain names: the field in which each has its own
    owner_at   where an item names the account that owns it: what others share with this one, their own scopes list
    gone_if    codes of a detail's call that say that the item has vanished since it was listed. Any other "not found"
               may only say that it has no such detail: it fails the scope until the declaration says which of both
    """

    action: str
    parameters: tuple[tuple[str, Any], ...] = ()
    items_at: str | None = None
    owner_at: str | None = None
    gone_if: tuple[str, ...] = ()
    details: tuple[Detail, ...] = ()
    besides: tuple[Beside, ...] = ()
    named: str | None = None
    togethers: tuple[Together, ...] = ()

    def then(
        self,
        action: str,
        *,
        each: str | None = None,
        only: Mapping[str, str] | None = None,
        constants: Mapping[str, Any] | None = None,
        none_if: str | tuple[str, ...] = (),
        gap: bool = False,
        **parameters: str,
    ) -> Listing:
        """A detail per item: `then("s3:GetBucketPolicy", Bucket="Name", none_if="NoSuchBucketPolicy")`.

        each         a detail per element of an earlier detail instead: `each="DescribeTargetGroups.TargetGroups[]"`
        only         the values, by their paths, of the items that can have such a detail: for the others nothing is
                     called, and they have nothing under the operation's name
        parameters   of the call, each a path into the item, or the element
        constants    parameters whose value is the same for every item
        none_if      codes that say that the item has no such detail
        gap          the item's row stands without this detail: where it is denied, the item is kept and the gap is
                     reported
        """
        codes = (none_if,) if isinstance(none_if, str) else none_if
        values, same = tuple((only or {}).items()), tuple((constants or {}).items())
        return replace(
            self, details=(*self.details, Detail(action, tuple(parameters.items()), codes, gap, each, values, same))
        )

    def beside(self, other: str | Listing, *, by: str, **parameters: Any) -> Listing:
        """What the items need of another, small listing: `beside("iam:ListGroups", by="GroupName")`.

        Each item has it under the operation's name, as a mapping: `item["ListGroups"]["admins"]["Arn"]`. A listing with
        details of its own stands in the place of the call: `beside(listing(...).then(...), by=...)`.
        """
        found = listing(other, **parameters) if isinstance(other, str) else other
        return replace(self, besides=(*self.besides, Beside(found, by)))

    def together(self, action: str, *, most: int, by: str, **parameter: str) -> Listing:
        """A call for up to `most` items at once, where AWS has one.

        `together("es:DescribeElasticsearchDomains", DomainNames="DomainName", most=5, by="DomainStatusList[].Name")`

        parameter    the one that takes a list, and the path in an item to what it takes of it
        by           where in the answer the items lie, and in each what tells which it is
        """
        [(name, path)] = parameter.items()
        return replace(self, togethers=(*self.togethers, Together(action, name, path, most, by)))

    @property
    def calls(self) -> tuple[str, ...]:
        return (
            self.action,
            *(call for beside in self.besides for call in beside.listing.calls),
            *(together.action for together in self.togethers),
            *(detail.action for detail in self.details),
        )

    def parts(self, api: AwsApi) -> None:
        return None

    async def items(self, api: AwsApi, part: str) -> AsyncIterator[Item]:
        beside: dict[str, Mapping[str, Any]] = {}
        unseen: tuple[Gap, ...] = ()
        async for page in api.pages(self.action, **dict(self.parameters)):
            found = [value for path in self._paths() for value in self._values(path, page)]
            if self.named:
                found = [{self.named: name} for name in found]
            if self.owner_at:
                found = [value for value in found if at(self.owner_at, value) in (None, api.tenant.id)]
            for together in self.togethers:
                found = await together.read(api, found)
            if found and self.besides and not beside:  # most scopes are empty
                for one in self.besides:
                    beside[one.name], gaps = await one.read(api)
                    unseen += gaps
            if beside:
                found = [value | beside for value in found]
            async for item in self._detailed(api, found):
                yield replace(item, gaps=(*item.gaps, *unseen)) if unseen else item
                unseen = ()  # once is enough for the report

    async def _detailed(self, api: AwsApi, found: Sequence[Any]) -> AsyncIterator[Item]:
        if not self.details:
            for value in found:
                yield Item(value)
            return
        async for item in bounded((self._with_details(api, value) for value in found), CALLS_IN_FLIGHT):
            yield item

    def _values(self, path: str, page: Mapping[str, Any]) -> list[Any]:
        found = at(path, page) if path else page
        if found is None:  # an empty list is there, and empty: an answer that was cut short must not read as none
            raise CallFailed(Failure.BAD_ANSWER, self.action, f"the answer has no {path}")
        return found if isinstance(found, list) else [found]

    def _paths(self) -> tuple[str, ...]:
        if self.items_at is not None:
            return (self.items_at,)
        service, operation = self.action.split(":")
        paging = credentials.paging(service, operation)
        if paging is None:
            raise CallFailed(Failure.BAD_ANSWER, self.action, "doesn't page: its declaration must say items_at=")
        return result_paths(paging)

    async def _with_details(self, api: AwsApi, value: Any) -> Item:
        merged, gaps = dict(value), []
        for detail in self.details:
            for place in detail.places(merged):
                try:
                    await detail.read(api, place)
                except CallFailed as error:
                    if error.code in detail.none_if:
                        place[detail.name] = {}
                    elif detail.gap and error.failure is Failure.DENIED:
                        place[detail.name] = None
                        gaps.append(Gap(error.action, error.code or str(error.failure)))
                    elif error.failure is Failure.GONE and error.code not in self.gone_if:
                        told = f"{error.reason}; neither none_if nor gone_if of its declaration names the code"
                        return Item(value, failure=CallFailed(Failure.OTHER, error.action, told, code=error.code))
                    else:
                        return Item(value, failure=error)
        return Item(merged, tuple(gaps))


def listing(
    action: str,
    *,
    items_at: str | None = None,
    named: str | None = None,
    owner_at: str | None = None,
    gone_if: str | tuple[str, ...] = (),
    **parameters: Any,
) -> Listing:
    """Every item of a call: `listing("rds:DescribeDBInstances")`. botocore's model knows the paging."""
    codes = (gone_if,) if isinstance(gone_if, str) else gone_if
    return Listing(action, tuple(parameters.items()), items_at, owner_at, codes, named=named)


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


async def bounded(calls: Any, most: int) -> AsyncIterator[Item]:
    """Results as they come, with at most so many under way; what is left is cancelled when the reader stops."""
    pending: set[asyncio.Task[Item]] = set()
    try:
        for call in calls:
            pending.add(asyncio.ensure_future(call))
            if len(pending) >= most:
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    yield task.result()
        while pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                yield task.result()
    finally:
        for task in pending:
            task.cancel()


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
