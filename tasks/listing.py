"""A listing, and the calls that its items need: how most resource types are declared, whatever their provider.

    listing("rds:DescribeDBInstances")
    listing("s3:ListBuckets").then("s3:GetBucketPolicy", Bucket="Name", none_if="NoSuchBucketPolicy")

What an action is, how it pages and where its answer holds the items, the provider's API knows.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol, TypeVar

from loaders.model import at
from tasks.failures import CallFailed, Failure
from tasks.resource import Gap, Item, Tenant

T = TypeVar("T")

CALLS_IN_FLIGHT: Final = 25  # of one scope, at most
_WORD: Final = re.compile("[:/]")
_SEPARATOR: Final = ","  # of the ids in the name of a part


class ListedApi(Protocol):
    """A provider's API as a listing reads it. Actions are its own words for its calls.

    at_a_time   details that one scope asks for at the same time: more than the API takes would only wait, and a scope
                that waits long gives its place back, with what it has read
    """

    tenant: Tenant

    @property
    def at_a_time(self) -> int: ...

    def pages(self, action: str, **parameters: Any) -> AsyncIterator[Any]:
        """Every answer of a call. Raises CallFailed, Later."""

    async def whole(self, action: str, **parameters: Any) -> Any:
        """The answer of a call as one, with the items of every page."""

    def items_at(self, action: str) -> tuple[str, ...]:
        """Where an answer of a call holds its items. Raises CallFailed where the declaration has to say it."""


@dataclass(frozen=True, slots=True)
class Detail:
    """A call per item of a listing; its answer, read to the last page, is merged into the item under the operation's
    name.

    each   a call per element at this path, of what the item has by then, merged into the element
    only   where these paths hold these values; of any other item the call isn't made
    keep   of what each page lists, no more than these fields, as one list: an item may have many thousands
    """

    action: str
    parameters: tuple[tuple[str, str], ...]
    none_if: tuple[str, ...]
    gap: bool
    each: str | None
    only: tuple[tuple[str, str], ...]
    constants: tuple[tuple[str, Any], ...]
    keep: tuple[str, ...]

    def places(self, item: dict[str, Any]) -> list[dict[str, Any]]:
        """What the detail is called for, and merged into."""
        found = [item] if self.each is None else at(self.each, item) or []
        return [place for place in found if all(at(path, place) == value for path, value in self.only)]

    @property
    def name(self) -> str:
        return name_of(self.action)

    async def read(self, api: ListedApi, place: dict[str, Any]) -> None:
        place[self.name] = await self.answer(api, place)

    async def answer(self, api: ListedApi, place: Mapping[str, Any]) -> Any:
        parameters = {name: at(path, place) for name, path in self.parameters}
        if lacking := [path for name, path in self.parameters if not parameters[name]]:
            raise CallFailed(Failure.BAD_ANSWER, self.action, f"an item has no {lacking[0]}")
        parameters |= dict(self.constants)
        if not self.keep:
            return await api.whole(self.action, **parameters)
        kept: list[dict[str, Any]] = []
        async for page in api.pages(self.action, **parameters):
            for path in api.items_at(self.action):
                listed = values_at(path, page, self.action)
                kept += [{name: one[name] for name in self.keep if name in one} for one in listed]
        return kept


@dataclass(frozen=True, slots=True)
class Parts:
    """`size` items make a part. `by` tells the items apart, `again` reads one anew."""

    size: int
    by: str
    again: Detail | None


@dataclass(frozen=True, slots=True)
class Beside:
    """Another listing of the same scope, read whole once there is an item: each has it, by the value at `by`.

    Where that path leads to many values, as it has `[]`, each value has a list of what was found under it.
    """

    listing: Listing
    by: str

    @property
    def name(self) -> str:
        return name_of(self.listing.action)

    async def read(self, api: ListedApi) -> tuple[Mapping[str, Any], tuple[Gap, ...]]:
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
        return name_of(self.action)

    async def read(self, api: ListedApi, values: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
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

    items_at   where an answer holds them; every list that the provider's API knows of, unless it is said
    named      where the items are plain names: the field in which each has its own
    owner_at   where an item names the account that owns it: what others share with this one, their own scopes list
    gone_if    codes of a detail's call that say that the item has vanished since it was listed. Any other "not found"
               may only say that it has no such detail: it fails the scope until the declaration says which of both
    divided    into which parts the scope is, where it may take hours
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
    divided: Parts | None = None

    def then(
        self,
        action: str,
        *,
        each: str | None = None,
        only: Mapping[str, str] | None = None,
        constants: Mapping[str, Any] | None = None,
        none_if: str | tuple[str, ...] = (),
        gap: bool = False,
        keep: tuple[str, ...] = (),
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
        keep         where it lists thousands: no more than these fields of each, as one list
        """
        codes = (none_if,) if isinstance(none_if, str) else none_if
        values, same = tuple((only or {}).items()), tuple((constants or {}).items())
        detail = Detail(action, tuple(parameters.items()), codes, gap, each, values, same, keep)
        return replace(self, details=(*self.details, detail))

    def beside(self, other: str | Listing, *, by: str, **parameters: Any) -> Listing:
        """What the items need of another, small listing: `beside("iam:ListGroups", by="GroupName")`.

        Each item has it under the operation's name, as a mapping: `item["ListGroups"]["admins"]["Arn"]`. A listing with
        details of its own stands in the place of the call: `beside(listing(...).then(...), by=...)`.
        """
        found = listing(other, **parameters) if isinstance(other, str) else other
        return replace(self, besides=(*self.besides, Beside(found, by)))

    def together(self, action: str, *, most: int, by: str, **parameter: str) -> Listing:
        """A call for up to `most` items at once, where there is such a call.

        `together("es:DescribeElasticsearchDomains", DomainNames="DomainName", most=5, by="DomainStatusList[].Name")`

        parameter    the one that takes a list, and the path in an item to what it takes of it
        by           where in the answer the items lie, and in each what tells which it is
        """
        [(name, path)] = parameter.items()
        return replace(self, togethers=(*self.togethers, Together(action, name, path, most, by)))

    def in_parts(self, size: int, *, by: str, again: str | None = None, parameter: str = "") -> Listing:
        """The same in parts of so many items, each an attempt of its own: where details of all would take hours.

        `listing("GET /users").in_parts(50, by="id").then("GET /users/{id}/factors", id="id")`

        by          what tells the items apart
        again       the call that reads one anew; without it an item is nothing but its id
        parameter   by which, where that has another name
        """
        if self.details or self.besides or self.togethers or self.named or self.owner_at:
            raise ValueError(f"{self.action}: in_parts comes first, and goes with details only")
        detail = Detail(again, ((parameter or by, by),), (), False, None, (), (), ()) if again else None
        return replace(self, divided=Parts(size, by, detail))

    @property
    def calls(self) -> tuple[str, ...]:
        return (
            self.action,
            *((self.divided.again.action,) if self.divided and self.divided.again else ()),
            *(call for beside in self.besides for call in beside.listing.calls),
            *(together.action for together in self.togethers),
            *(detail.action for detail in self.details),
        )

    def parts(self, api: ListedApi) -> AsyncIterator[str] | None:
        return self._planned(api, self.divided) if self.divided else None

    async def _planned(self, api: ListedApi, divided: Parts) -> AsyncIterator[str]:
        waiting: list[str] = []
        async for page in self._pages(api):
            ids = [at(divided.by, value) for value in page]
            if not all(isinstance(one, str) and one for one in ids):
                raise CallFailed(Failure.BAD_ANSWER, self.action, f"an item has no {divided.by}")
            waiting += ids
            while len(waiting) >= divided.size:
                yield _SEPARATOR.join(waiting[: divided.size])
                del waiting[: divided.size]
        if waiting:
            yield _SEPARATOR.join(waiting)

    async def items(self, api: ListedApi, part: str) -> AsyncIterator[Item]:
        if self.divided:
            async for item in self._detailed(api, [{self.divided.by: one} for one in part.split(_SEPARATOR)]):
                yield item
            return
        beside: dict[str, Mapping[str, Any]] = {}
        unseen: tuple[Gap, ...] = ()
        async for found in self._pages(api):
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

    async def _pages(self, api: ListedApi) -> AsyncIterator[list[Any]]:
        """The items of each page."""
        paths = api.items_at(self.action) if self.items_at is None else (self.items_at,)
        one = self.items_at is not None  # of a declaration that says where, it may be one item
        async for page in api.pages(self.action, **dict(self.parameters)):
            yield [value for path in paths for value in values_at(path, page, self.action, one=one)]

    async def _detailed(self, api: ListedApi, found: Sequence[Any]) -> AsyncIterator[Item]:
        if not self.details and not self.divided:
            for value in found:
                yield Item(value)
            return
        async for item in bounded((self._with_details(api, value) for value in found), api.at_a_time):
            yield item

    async def _with_details(self, api: ListedApi, value: Any) -> Item:
        merged, gaps = dict(value), []
        if self.divided and self.divided.again:
            try:
                merged |= await self.divided.again.answer(api, value)
            except CallFailed as error:
                return Item(value, failure=error)
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
                        told = f"{error.reason}; neither none_if nor gone_if of its declaration names {error.code}"
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
    """Every item of a call: `listing("rds:DescribeDBInstances")`. The provider's API knows the paging."""
    codes = (gone_if,) if isinstance(gone_if, str) else gone_if
    return Listing(action, tuple(parameters.items()), items_at, owner_at, codes, named=named)


def values_at(path: str, page: Any, action: str, *, one: bool = True) -> list[Any]:
    """The items at a path of an answer; `one`: it may be a single one. Raises CallFailed: an answer that was cut short,
    or is something else, must not read as none.
    """
    found = at(path, page) if path else page
    if found is None:  # an empty list is there, and empty
        raise CallFailed(Failure.BAD_ANSWER, action, f"the answer has no {path or 'list'}")
    if not one and not isinstance(found, list):
        raise CallFailed(Failure.BAD_ANSWER, action, f"{path or 'the answer'} is no list")
    return found if isinstance(found, list) else [found]


def name_of(action: str) -> str:
    """The name under which an item has the answer of a further call: `iam:GetUser` -> `GetUser`,
    `GET /users/{id}/roles` -> `roles`, `directory:members.list` -> `members`.
    """
    word = next(word for word in reversed(_WORD.split(action)) if not word.startswith("{"))
    return word.removesuffix(".list").removesuffix(".get").rpartition(".")[2]


async def bounded(calls: Iterable[Awaitable[T]], most: int) -> AsyncIterator[T]:
    """Results as they come, with at most so many under way; what is left is cancelled when the reader stops."""
    pending: set[asyncio.Future[T]] = set()
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
