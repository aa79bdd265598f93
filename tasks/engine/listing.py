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

from loaders.model import NOT_SEEN, NotSeen, at
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


@dataclass(slots=True)
class Found:
    """An item on its way, with what could not be seen of it."""

    value: Any
    gaps: tuple[Gap, ...] = ()
    unseen: frozenset[str] = frozenset()


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
        try:
            found = [item] if self.each is None else at(self.each, item) or []
            return [place for place in found if all(at(path, place) == value for path, value in self.only)]
        except TypeError:  # not as declared: its rows say so
            return []

    @property
    def name(self) -> str:
        return name_of(self.action)

    async def read(self, api: ListedApi, place: dict[str, Any]) -> None:
        place[self.name] = await self.answer(api, place)

    async def answer(self, api: ListedApi, place: Mapping[str, Any]) -> Any:
        try:
            parameters = {name: at(path, place) for name, path in self.parameters}
        except TypeError as error:
            raise CallFailed(Failure.BAD_ANSWER, self.action, str(error)) from None
        if lacking := [path for name, path in self.parameters if not parameters[name]]:
            raise CallFailed(Failure.BAD_ANSWER, self.action, f"an item has no {lacking[0]}")
        parameters |= dict(self.constants)
        if not self.keep:
            return await api.whole(self.action, **parameters)
        kept: list[dict[str, Any]] = []
        async for page in api.pages(self.action, **parameters):
            for path in api.items_at(self.action):
                listed = values_at(path, page, self.action)
                things = (one for one in listed if isinstance(one, Mapping))  # what is none costs itself
                kept += [{name: one[name] for name in self.keep if name in one} for one in things]
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

    async def read(self, api: ListedApi, page: Sequence[Found]) -> list[Found]:
        keys = [at(self.path, one.value) for one in page]
        named = {key: one for key, one in zip(keys, page, strict=True) if key}
        found = [one for key, one in zip(keys, page, strict=True) if not key]  # rejected as rows
        asked = list(named)
        for start in range(0, len(asked), self.most):
            told = await self._read_some(api, asked[start : start + self.most])
            for key, detail in told.items():
                if key not in named:
                    continue
                one, failed = named[key], isinstance(detail, CallFailed)
                gaps = (*one.gaps, Gap.of(detail)) if failed else one.gaps
                found.append(Found({**one.value, self.name: NOT_SEEN if failed else detail}, gaps))
        return found

    async def _read_some(self, api: ListedApi, keys: list[str]) -> dict[str, Any]:
        """By key its part of the response, or why there is none. What is refused is asked for in halves, so that one
        item doesn't cost the others.
        """
        try:
            response = await api.whole(self.action, **{self.parameter: keys})
            items, _, by = self.by.rpartition("[].")
            return {at(by, one): one for one in values_at(items, response, self.action)}
        except CallFailed as error:
            if error.failure is Failure.EXPIRED:
                raise
            if len(keys) == 1 or error.failure not in (Failure.OTHER, Failure.GONE):
                return dict.fromkeys(keys, error)
            half = len(keys) // 2
            return {**await self._read_some(api, keys[:half]), **await self._read_some(api, keys[half:])}


@dataclass(frozen=True, slots=True)
class Listing:
    """A paged call, and the calls that its items need: each of them, or all together.

    items_at   where an answer holds them; every list that the provider's API knows of, unless it is said
    named      where the items are plain names: the field in which each has its own
    owner_at   where an item names the account that owns it: what others share with this one, their own scopes list
    gone_if    codes of a detail's call that say that the item has vanished since it was listed. Any other "not found"
               may only say that it has no such detail: one not seen, until the declaration says which of both it is
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

    def key_of(self, value: Any) -> str:
        """What tells an item from the others before any detail is read; "" where its first node does."""
        if self.divided:
            paths = [self.divided.by]
        elif self.togethers:
            paths = [self.togethers[0].path]
        else:
            paths = [path for detail in self.details[:1] if detail.each is None for _, path in detail.parameters]
        words = [at(path, value) for path in paths]
        return _SEPARATOR.join(words) if all(isinstance(word, str) for word in words) else ""

    async def items(self, api: ListedApi, part: str) -> AsyncIterator[Item]:
        if self.divided:
            found = [Found({self.divided.by: one}) for one in part.split(_SEPARATOR)]
            async for item in self._detailed(api, found):
                yield item
            return
        beside: dict[str, Any] = {}
        async for page in self._pages(api):
            if self.named:
                page = [{self.named: name} for name in page]
            if self.owner_at:
                page = [value for value in page if at(self.owner_at, value) in (None, api.tenant.id)]
            found = [Found(value) for value in page]
            for together in self.togethers:
                found = await together.read(api, found)
            told: tuple[Gap, ...] = ()
            if found and self.besides and not beside:  # most scopes are empty
                beside, told = await self._read_besides(api)
            if beside:
                found = [replace(one, value=one.value | beside) for one in found]
            if told:  # once is enough for the report
                found[0] = replace(found[0], gaps=(*found[0].gaps, *told))
            async for item in self._detailed(api, found):
                yield item

    async def _read_besides(self, api: ListedApi) -> tuple[dict[str, Any], tuple[Gap, ...]]:
        read: dict[str, Any] = {}
        told: tuple[Gap, ...] = ()
        for one in self.besides:
            try:
                read[one.name], gaps = await one.read(api)
            except CallFailed as error:
                if error.failure is Failure.EXPIRED:
                    raise
                read[one.name], gaps = NOT_SEEN, (Gap.of(error),)
            told += gaps
        return read, told

    async def _pages(self, api: ListedApi) -> AsyncIterator[list[Any]]:
        """The items of each page."""
        paths = api.items_at(self.action) if self.items_at is None else (self.items_at,)
        one = self.items_at is not None  # of a declaration that says where, it may be one item
        async for page in api.pages(self.action, **dict(self.parameters)):
            yield [value for path in paths for value in values_at(path, page, self.action, one=one)]

    async def _detailed(self, api: ListedApi, found: Sequence[Found]) -> AsyncIterator[Item]:
        if not self.details and not self.divided:
            for one in found:
                yield Item(one.value, one.gaps, key=self.key_of(one.value))
            return
        async for item in bounded((self._with_details(api, one) for one in found), api.at_a_time):
            yield item

    async def _with_details(self, api: ListedApi, found: Found) -> Item:
        key = self.key_of(found.value)
        merged = dict(found.value)
        if self.divided and self.divided.again:
            try:
                merged |= await self.divided.again.answer(api, found.value)
            except CallFailed as error:
                return Item(found.value, failure=error, key=key)
        gaps, unseen = list(found.gaps), set[str]()
        for detail in self.details:
            try:
                places = detail.places(merged)
            except NotSeen:  # where it would be called for is in a detail that wasn't seen
                if detail.each is None:
                    merged[detail.name] = NOT_SEEN
                continue
            for place in places:
                try:
                    await detail.read(api, place)
                except NotSeen:
                    place[detail.name] = NOT_SEEN
                except CallFailed as error:
                    if error.code in detail.none_if:
                        place[detail.name] = {}
                    elif error.failure is Failure.GONE and error.code in self.gone_if:
                        return Item(found.value, failure=error, key=key)
                    elif error.failure is Failure.EXPIRED:
                        raise
                    else:
                        place[detail.name] = None if detail.gap else NOT_SEEN
                        if detail.gap:
                            unseen.add(detail.name)
                        gaps.append(self._gap(error))
        return Item(merged, tuple(gaps), key=key, unseen=frozenset(unseen))

    def _gap(self, error: CallFailed) -> Gap:
        if error.failure is not Failure.GONE:
            return Gap.of(error)
        code = error.code or str(error.failure)
        return Gap(error.action, f"{code}, which neither none_if nor gone_if of its declaration names")


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
    try:
        found = at(path, page) if path else page
    except TypeError as error:
        raise CallFailed(Failure.BAD_ANSWER, action, f"the answer has no list at {path}: {error}") from None
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
