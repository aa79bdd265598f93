"""A listing, and the calls that its items need: how most resource types are declared, whatever their provider.

    listing("rds:DescribeDBInstances")
    listing("s3:ListBuckets").detail("s3:GetBucketPolicy", Bucket="Name", absent_codes="NoSuchBucketPolicy")

What an action is, how it pages and where its response holds the items, the provider's API knows.
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
        """Every response of a call. Raises CallFailed, Later."""

    async def read_all(self, action: str, **parameters: Any) -> Any:
        """The response of a call as one, with the items of every page."""

    def items_paths(self, action: str) -> tuple[str, ...]:
        """Where a response of a call holds its items. Raises CallFailed where the declaration has to say it."""


@dataclass(slots=True)
class Found:
    """An item on its way, with what could not be seen of it."""

    value: Any
    gaps: tuple[Gap, ...] = ()
    unseen: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Detail:
    """A call per item of a listing; its response, read to the last page, is merged into the item under the operation's
    name.

    each   a call per element at this path, of what the item has by then, merged into the element
    only   where these paths hold these values; of any other item the call isn't made
    keep   of what each page lists, no more than these fields, as one list: an item may have many thousands
    """

    action: str
    parameters: tuple[tuple[str, str], ...]
    absent_codes: tuple[str, ...]
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
        place[self.name] = await self.response(api, place)

    async def response(self, api: ListedApi, place: Mapping[str, Any]) -> Any:
        try:
            parameters = {name: at(path, place) for name, path in self.parameters}
        except TypeError as error:
            raise CallFailed(Failure.INVALID_RESPONSE, self.action, str(error)) from None
        if lacking := [path for name, path in self.parameters if not parameters[name]]:
            raise CallFailed(Failure.INVALID_RESPONSE, self.action, f"an item has no {lacking[0]}")
        parameters |= dict(self.constants)
        if not self.keep:
            return await api.read_all(self.action, **parameters)
        kept: list[dict[str, Any]] = []
        async for page in api.pages(self.action, **parameters):
            for path in api.items_paths(self.action):
                listed = values_at(path, page, self.action)
                things = (one for one in listed if isinstance(one, Mapping))  # what is none costs itself
                kept += [{name: one[name] for name in self.keep if name in one} for one in things]
        return kept


@dataclass(frozen=True, slots=True)
class Partition:
    """`size` items make a part. `key` tells the items apart, `refetch` reads one anew."""

    size: int
    key: str
    refetch: Detail | None


@dataclass(frozen=True, slots=True)
class Lookup:
    """Another listing of the same scope, read whole once there is an item: each has it, by the value at `key`.

    Where that path leads to many values, as it has `[]`, each value has a list of what was found under it.
    """

    listing: Listing
    key: str

    @property
    def name(self) -> str:
        return name_of(self.listing.action)

    async def read(self, api: ListedApi) -> tuple[Mapping[str, Any], tuple[Gap, ...]]:
        """What was listed, and what of it could not be seen. Raises CallFailed where an item's details failed."""
        found: dict[str, Any] = {}
        gaps: list[Gap] = []
        async for item in self.listing.items(api, ""):
            if item.failure is not None:
                if item.failure.failure is Failure.NOT_FOUND:
                    continue
                raise item.failure
            gaps += item.gaps
            under = at(self.key, item.value)
            if "[]" in self.key:
                for value in under or ():
                    found.setdefault(value, []).append(item.value)
            else:
                found[under] = item.value
        return found, tuple(gaps)


@dataclass(frozen=True, slots=True)
class BatchDetail:
    """One call for many items of a listing. Each has its part of the response, found by the value at `key`, under the
    operation's name; an item that the response leaves out has vanished.
    """

    action: str
    parameter: str
    path: str
    max_batch: int
    key: str

    @property
    def name(self) -> str:
        return name_of(self.action)

    async def read(self, api: ListedApi, page: Sequence[Found]) -> list[Found]:
        keys = [at(self.path, one.value) for one in page]
        named = {key: one for key, one in zip(keys, page, strict=True) if key}
        found = [one for key, one in zip(keys, page, strict=True) if not key]  # rejected as rows
        asked = list(named)
        for start in range(0, len(asked), self.max_batch):
            told = await self._read_some(api, asked[start : start + self.max_batch])
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
            response = await api.read_all(self.action, **{self.parameter: keys})
            items, _, by = self.key.rpartition("[].")
            return {at(by, one): one for one in values_at(items, response, self.action)}
        except CallFailed as error:
            if error.failure is Failure.EXPIRED:
                raise
            if len(keys) == 1 or error.failure not in (Failure.UNEXPECTED, Failure.NOT_FOUND):
                return dict.fromkeys(keys, error)
            half = len(keys) // 2
            return {**await self._read_some(api, keys[:half]), **await self._read_some(api, keys[half:])}


@dataclass(frozen=True, slots=True)
class Listing:
    """A paged call, and the calls that its items need: each of them, or all together.

    items_path       where a response holds them; every list that the provider's API knows of, unless it is given
    name_field       where the items are plain names: the field in which each has its own
    owner_path       where an item names the account that owns it: what others share with this one, their own scopes
    list
    not_found_codes  codes of a detail's call that say that the item has vanished since it was listed. Any other "not
                     found" may only say that it has no such detail: one not seen, until the declaration says which
    partitioned      into which parts the scope is divided, where it may take hours
    """

    action: str
    parameters: tuple[tuple[str, Any], ...] = ()
    items_path: str | None = None
    owner_path: str | None = None
    not_found_codes: tuple[str, ...] = ()
    details: tuple[Detail, ...] = ()
    lookups: tuple[Lookup, ...] = ()
    name_field: str | None = None
    batch_details: tuple[BatchDetail, ...] = ()
    partitioned: Partition | None = None

    def detail(
        self,
        action: str,
        *,
        each: str | None = None,
        only: Mapping[str, str] | None = None,
        constants: Mapping[str, Any] | None = None,
        absent_codes: str | tuple[str, ...] = (),
        gap: bool = False,
        keep: tuple[str, ...] = (),
        **parameters: str,
    ) -> Listing:
        """A detail per item: `detail("s3:GetBucketPolicy", Bucket="Name", absent_codes="NoSuchBucketPolicy")`.

        each         a detail per element of an earlier detail instead: `each="DescribeTargetGroups.TargetGroups[]"`
        only         the values, by their paths, of the items that can have such a detail: for the others nothing is
                     called, and they have nothing under the operation's name
        parameters   of the call, each a path into the item, or the element
        constants    parameters whose value is the same for every item
        absent_codes      codes that say that the item has no such detail
        gap          the item's row stands without this detail: where it is denied, the item is kept and the gap is
                     reported
        keep         where it lists thousands: no more than these fields of each, as one list
        """
        codes = (absent_codes,) if isinstance(absent_codes, str) else absent_codes
        values, same = tuple((only or {}).items()), tuple((constants or {}).items())
        detail = Detail(action, tuple(parameters.items()), codes, gap, each, values, same, keep)
        return replace(self, details=(*self.details, detail))

    def lookup(self, other: str | Listing, *, key: str, **parameters: Any) -> Listing:
        """What the items need of another, small listing: `lookup("iam:ListGroups", key="GroupName")`.

        Each item has it under the operation's name, as a mapping: `item["ListGroups"]["admins"]["Arn"]`. A listing with
        details of its own stands in the place of the call: `lookup(listing(...).detail(...), key=...)`.
        """
        found = listing(other, **parameters) if isinstance(other, str) else other
        return replace(self, lookups=(*self.lookups, Lookup(found, key)))

    def batch_detail(self, action: str, *, max_batch: int, key: str, **parameter: str) -> Listing:
        """A call for up to `max_batch` items at once, where there is such a call.

        `batch_detail("es:DescribeElasticsearchDomains", DomainNames="DomainName", max_batch=5, key="Status[].Name")`

        parameter    the one that takes a list, and the path in an item to what it takes of it
        by           where in the response the items lie, and in each what tells which it is
        """
        [(name, path)] = parameter.items()
        return replace(self, batch_details=(*self.batch_details, BatchDetail(action, name, path, max_batch, key)))

    def partition(self, size: int, *, key: str, refetch: str | None = None, parameter: str = "") -> Listing:
        """The same in parts of so many items, each an attempt of its own: where details of all would take hours.

        `listing("GET /users").partition(50, key="id").detail("GET /users/{id}/factors", id="id")`

        by          what tells the items apart
        refetch       the call that reads one anew; without it an item is nothing but its id
        parameter   by which, where that has another name
        """
        if self.details or self.lookups or self.batch_details or self.name_field or self.owner_path:
            raise ValueError(f"{self.action}: partition() comes first, and goes with details only")
        detail = Detail(refetch, ((parameter or key, key),), (), False, None, (), (), ()) if refetch else None
        return replace(self, partitioned=Partition(size, key, detail))

    @property
    def calls(self) -> tuple[str, ...]:
        return (
            self.action,
            *((self.partitioned.refetch.action,) if self.partitioned and self.partitioned.refetch else ()),
            *(call for beside in self.lookups for call in beside.listing.calls),
            *(together.action for together in self.batch_details),
            *(detail.action for detail in self.details),
        )

    def parts(self, api: ListedApi) -> AsyncIterator[str] | None:
        return self._planned(api, self.partitioned) if self.partitioned else None

    async def _planned(self, api: ListedApi, partitioned: Partition) -> AsyncIterator[str]:
        waiting: list[str] = []
        async for page in self._pages(api):
            ids = [at(partitioned.key, value) for value in page]
            if not all(isinstance(one, str) and one for one in ids):
                raise CallFailed(Failure.INVALID_RESPONSE, self.action, f"an item has no {partitioned.key}")
            waiting += ids
            while len(waiting) >= partitioned.size:
                yield _SEPARATOR.join(waiting[: partitioned.size])
                del waiting[: partitioned.size]
        if waiting:
            yield _SEPARATOR.join(waiting)

    def key_of(self, value: Any) -> str:
        """What tells an item from the others before any detail is read; "" where its first node does."""
        if self.partitioned:
            paths = [self.partitioned.key]
        elif self.batch_details:
            paths = [self.batch_details[0].path]
        else:
            paths = [path for detail in self.details[:1] if detail.each is None for _, path in detail.parameters]
        words = [at(path, value) for path in paths]
        return _SEPARATOR.join(words) if all(isinstance(word, str) for word in words) else ""

    async def items(self, api: ListedApi, part: str) -> AsyncIterator[Item]:
        if self.partitioned:
            found = [Found({self.partitioned.key: one}) for one in part.split(_SEPARATOR)]
            async for item in self._detailed(api, found):
                yield item
            return
        beside: dict[str, Any] = {}
        async for page in self._pages(api):
            if self.name_field:
                page = [{self.name_field: name} for name in page]
            if self.owner_path:
                page = [value for value in page if at(self.owner_path, value) in (None, api.tenant.id)]
            found = [Found(value) for value in page]
            for together in self.batch_details:
                found = await together.read(api, found)
            told: tuple[Gap, ...] = ()
            if found and self.lookups and not beside:  # most scopes are empty
                beside, told = await self._read_lookups(api)
            if beside:
                found = [replace(one, value=one.value | beside) for one in found]
            if told:  # once is enough for the report
                found[0] = replace(found[0], gaps=(*found[0].gaps, *told))
            async for item in self._detailed(api, found):
                yield item

    async def _read_lookups(self, api: ListedApi) -> tuple[dict[str, Any], tuple[Gap, ...]]:
        read: dict[str, Any] = {}
        told: tuple[Gap, ...] = ()
        for one in self.lookups:
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
        paths = api.items_paths(self.action) if self.items_path is None else (self.items_path,)
        one = self.items_path is not None  # of a declaration that says where, it may be one item
        async for page in api.pages(self.action, **dict(self.parameters)):
            yield [value for path in paths for value in values_at(path, page, self.action, one=one)]

    async def _detailed(self, api: ListedApi, found: Sequence[Found]) -> AsyncIterator[Item]:
        if not self.details and not self.partitioned:
            for one in found:
                yield Item(one.value, one.gaps, key=self.key_of(one.value))
            return
        async for item in bounded((self._with_details(api, one) for one in found), api.at_a_time):
            yield item

    async def _with_details(self, api: ListedApi, found: Found) -> Item:
        key = self.key_of(found.value)
        merged = dict(found.value)
        if self.partitioned and self.partitioned.refetch:
            try:
                merged |= await self.partitioned.refetch.response(api, found.value)
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
                    if error.code in detail.absent_codes:
                        place[detail.name] = {}
                    elif error.failure is Failure.NOT_FOUND and error.code in self.not_found_codes:
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
        if error.failure is not Failure.NOT_FOUND:
            return Gap.of(error)
        code = error.code or str(error.failure)
        return Gap(error.action, f"{code}, which neither absent_codes nor not_found_codes of its declaration names")


def listing(
    action: str,
    *,
    items_path: str | None = None,
    name_field: str | None = None,
    owner_path: str | None = None,
    not_found_codes: str | tuple[str, ...] = (),
    **parameters: Any,
) -> Listing:
    """Every item of a call: `listing("rds:DescribeDBInstances")`. The provider's API knows the paging."""
    codes = (not_found_codes,) if isinstance(not_found_codes, str) else not_found_codes
    return Listing(action, tuple(parameters.items()), items_path, owner_path, codes, name_field=name_field)


def values_at(path: str, page: Any, action: str, *, one: bool = True) -> list[Any]:
    """The items at a path of a response; `one`: it may be a single one. Raises CallFailed: a response that was cut
    short, or is something else, must not read as none.
    """
    try:
        found = at(path, page) if path else page
    except TypeError as error:
        raise CallFailed(Failure.INVALID_RESPONSE, action, f"the response has no list at {path}: {error}") from None
    if found is None:  # an empty list is there, and empty
        raise CallFailed(Failure.INVALID_RESPONSE, action, f"the response has no {path or 'list'}")
    if not one and not isinstance(found, list):
        raise CallFailed(Failure.INVALID_RESPONSE, action, f"{path or 'the response'} is no list")
    return found if isinstance(found, list) else [found]


def name_of(action: str) -> str:
    """The name under which an item has the response of a further call: `iam:GetUser` -> `GetUser`,
    `GET /users/{id}/roles` -> `roles`, `directory:members.list` -> `members`.
    """
    word = next(word for word in reversed(_WORD.split(action)) if not word.startswith("{"))
    return word.removesuffix(".list").removesuffix(".get").rpartition(".")[2]


async def bounded(calls: Iterable[Awaitable[T]], max_concurrent: int) -> AsyncIterator[T]:
    """Results as they come, with at most so many under way; what is left is cancelled when the reader stops."""
    pending: set[asyncio.Future[T]] = set()
    try:
        for call in calls:
            pending.add(asyncio.ensure_future(call))
            if len(pending) >= max_concurrent:
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
