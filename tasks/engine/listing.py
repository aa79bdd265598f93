"""A listing, and the calls that its items need: how most resource types are declared, whatever their provider.

    listing("rds:DescribeDBInstances")
    listing("s3:ListBuckets").detail("s3:GetBucketPolicy", Bucket="Name", absent_codes="NoSuchBucketPolicy")

The provider's API knows what an action is, how it pages, and where its response holds the items.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from loaders.model import NOT_SEEN, NotSeen, at
from tasks.engine.concurrency import bounded
from tasks.engine.details import BatchDetail, Detail, ListedApi, PartialItem
from tasks.engine.parts import SEPARATOR, check_ids
from tasks.engine.responses import at_or_none, name_of, values_at
from tasks.failures import CallFailed, Failure
from tasks.resource import Gap, Item


@dataclass(frozen=True, slots=True)
class Partition:
    """`size` items make a part. `key` identifies an item, `refetch` reads it again."""

    size: int
    key: str
    refetch: Detail | None


@dataclass(frozen=True, slots=True)
class Lookup:
    """Another listing of the same scope, read once there is an item. Each item gets all of it, by the value at `key`.

    Where that path contains `[]`, each value has the list of items found under it.
    """

    listing: Listing
    key: str

    @property
    def name(self) -> str:
        return name_of(self.listing.action)

    async def read(self, api: ListedApi) -> tuple[Mapping[str, Any], tuple[Gap, ...]]:
        """The items by key, and what could not be seen of them. Raises CallFailed where details of an item failed."""
        by_key: dict[str, Any] = {}
        gaps: list[Gap] = []
        async for item in self.listing.items(api, ""):
            if item.failure is not None:
                if item.failure.failure is Failure.NOT_FOUND:
                    continue
                raise item.failure
            gaps += item.gaps
            key = at(self.key, item.value)
            is_many = "[]" in self.key
            for value in (key or []) if is_many else [key]:
                if value is None:
                    continue
                if not isinstance(value, str):
                    reason = f"{self.key} of an item is not text"
                    raise CallFailed(Failure.INVALID_RESPONSE, self.listing.action, reason)
                if is_many:
                    by_key.setdefault(value, []).append(item.value)
                else:
                    by_key[value] = item.value
        return by_key, tuple(gaps)


@dataclass(frozen=True, slots=True)
class Listing:
    """A paged call, and the calls that its items need: one each, or one for many.

    items_path       where a response holds the items; by default every list that the provider's API knows of
    name_field       where the items are plain names: the field that gets the name
    owner_path       where an item names the account that owns it. Items of other accounts, which are shared with this
                     one, are left to the scopes of their owners
    not_found_codes  codes of a detail's call which mean that the item no longer exists. Any other "not found" may only
                     mean that it has no such detail: this counts as not seen until the declaration says which it is
    partitioned      how the scope is divided into parts, where it may take hours
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

        each          a detail per element of an earlier detail instead: `each="DescribeTargetGroups.TargetGroups[]"`
        only          values by path: the call is made only for items that have them; the others get nothing under the
                      operation's name
        parameters    of the call, each a path into the item, or the element
        constants     parameters whose value is the same for every item
        absent_codes  codes which mean that the item has no such detail
        gap           the item is complete without this detail: where it is denied, the item is loaded and the gap is
                      reported
        keep          where it lists thousands: only these fields of each, as one list
        """
        codes = (absent_codes,) if isinstance(absent_codes, str) else absent_codes
        values, same = tuple((only or {}).items()), tuple((constants or {}).items())
        detail = Detail(action, tuple(parameters.items()), codes, gap, each, values, same, keep)
        return replace(self, details=(*self.details, detail))

    def lookup(self, other: str | Listing, *, key: str, **parameters: Any) -> Listing:
        """Another, small listing that the items refer to: `lookup("iam:ListGroups", key="GroupName")`.

        Each item has it under the operation's name, as a mapping: `item["ListGroups"]["admins"]["Arn"]`. Instead of the
        call, it may be a listing with details of its own: `lookup(listing(...).detail(...), key=...)`.
        """
        looked_up = listing(other, **parameters) if isinstance(other, str) else other
        return replace(self, lookups=(*self.lookups, Lookup(looked_up, key)))

    def batch_detail(self, action: str, *, max_batch: int, key: str, **parameter: str) -> Listing:
        """One call for up to `max_batch` items, where the API has such a call.

        `batch_detail("es:DescribeElasticsearchDomains", DomainNames="DomainName", max_batch=5, key="Status[].Name")`

        parameter    the one that takes a list, and the path in an item to its value
        key          where the response holds the items, and in each the value that identifies it
        """
        [(name, path)] = parameter.items()
        return replace(self, batch_details=(*self.batch_details, BatchDetail(action, name, path, max_batch, key)))

    def partition(self, size: int, *, key: str, refetch: str | None = None, parameter: str = "") -> Listing:
        """The same in parts of `size` items, each fetched in its own attempt: where all details would take hours.

        `listing("GET /users").partition(50, key="id").detail("GET /users/{id}/factors", id="id")`

        key         what identifies an item
        refetch     the call that reads one item again; without it an item has only its key
        parameter   of that call, where its name is not the key's
        """
        if self.details or self.lookups or self.batch_details or self.name_field or self.owner_path:
            raise ValueError(f"{self.action}: partition() must come first, and can be combined with details only")
        detail = Detail(refetch, ((parameter or key, key),), (), False, None, (), (), ()) if refetch else None
        return replace(self, partitioned=Partition(size, key, detail))

    @property
    def calls(self) -> tuple[str, ...]:
        return (
            self.action,
            *((self.partitioned.refetch.action,) if self.partitioned and self.partitioned.refetch else ()),
            *(call for lookup in self.lookups for call in lookup.listing.calls),
            *(batch_detail.action for batch_detail in self.batch_details),
            *(detail.action for detail in self.details),
        )

    def parts(self, api: ListedApi) -> AsyncIterator[str] | None:
        return self._planned(api, self.partitioned) if self.partitioned else None

    async def _planned(self, api: ListedApi, partitioned: Partition) -> AsyncIterator[str]:
        waiting: list[str] = []
        async for page in self._pages(api):
            ids = [at(partitioned.key, value) for value in page]
            if not all(isinstance(id_, str) and id_ for id_ in ids):
                raise CallFailed(Failure.INVALID_RESPONSE, self.action, f"an item has no {partitioned.key}")
            check_ids(self.action, ids)
            waiting += ids
            while len(waiting) >= partitioned.size:
                yield SEPARATOR.join(waiting[: partitioned.size])
                del waiting[: partitioned.size]
        if waiting:
            yield SEPARATOR.join(waiting)

    def key_of(self, value: Any) -> str:
        """What identifies an item before any detail is read; "" where the key of its first node does."""
        if self.partitioned:
            paths = [self.partitioned.key]
        elif self.batch_details:
            paths = [self.batch_details[0].path]
        else:
            paths = [path for detail in self.details[:1] if detail.each is None for _, path in detail.parameters]
        words = [at_or_none(path, value) for path in paths]
        return SEPARATOR.join(words) if all(isinstance(word, str) for word in words) else ""

    async def items(self, api: ListedApi, part: str) -> AsyncIterator[Item]:
        if self.partitioned:
            keys = part.split(SEPARATOR)
            async for item in self._detailed(api, [PartialItem({self.partitioned.key: key}) for key in keys]):
                yield item
            return
        lookups: dict[str, Any] = {}
        async for page in self._pages(api):
            for other in (value for value in page if not self._is_item(value)):
                yield Item(other, failure=self._not_an_item(other))
            items = [PartialItem(value) for value in self._own(filter(self._is_item, page), api.tenant.id)]
            for batch_detail in self.batch_details:
                items = await batch_detail.read(api, items)
            if items and self.lookups and not lookups:  # most scopes are empty
                lookups, gaps = await self._read_lookups(api)
                items[0] = replace(items[0], gaps=(*items[0].gaps, *gaps))  # once is enough for the report
            if lookups:
                items = [replace(item, value=item.value | lookups) for item in items]
            async for item in self._detailed(api, items):
                yield item

    def _is_item(self, value: object) -> bool:
        return isinstance(value, str if self.name_field else Mapping)

    def _not_an_item(self, value: object) -> CallFailed:
        """It could be any node that the list lacks: the others are loaded, and nothing is deleted."""
        expected = "a name" if self.name_field else "an object"
        return CallFailed(Failure.INVALID_RESPONSE, self.action, f"an item is {value!r:.60}, expected {expected}")

    def _own(self, page: Iterable[Any], owner: str) -> list[Any]:
        """The items of a page as objects, without those of other owners."""
        items = [{self.name_field: value} if self.name_field else value for value in page]
        return (
            [item for item in items if at_or_none(self.owner_path, item) in (None, owner)] if self.owner_path else items
        )

    async def _read_lookups(self, api: ListedApi) -> tuple[dict[str, Any], tuple[Gap, ...]]:
        read: dict[str, Any] = {}
        all_gaps: tuple[Gap, ...] = ()
        for lookup in self.lookups:
            try:
                read[lookup.name], gaps = await lookup.read(api)
            except CallFailed as error:
                if error.failure is Failure.EXPIRED:
                    raise
                read[lookup.name], gaps = NOT_SEEN, (Gap.of(error),)
            all_gaps += gaps
        return read, all_gaps

    async def _pages(self, api: ListedApi) -> AsyncIterator[list[Any]]:
        """The items of each page."""
        paths = api.items_paths(self.action) if self.items_path is None else (self.items_path,)
        allow_single = self.items_path is not None  # a declaration that gives the path may mean a single item
        async for page in api.pages(self.action, **dict(self.parameters)):
            yield [value for path in paths for value in values_at(path, page, self.action, allow_single=allow_single)]

    async def _detailed(self, api: ListedApi, items: Sequence[PartialItem]) -> AsyncIterator[Item]:
        if not self.details and not self.partitioned:
            for item in items:
                yield Item(item.value, item.gaps, key=self.key_of(item.value))
            return
        async for detailed in bounded((self._with_details(api, item) for item in items), api.at_a_time):
            yield detailed

    async def _with_details(self, api: ListedApi, listed: PartialItem) -> Item:
        key = self.key_of(listed.value)
        item = PartialItem(dict(listed.value), listed.gaps)
        if self.partitioned and self.partitioned.refetch:
            try:
                item.value |= await self._refetched(api, self.partitioned.refetch, listed.value)
            except CallFailed as error:
                return Item(listed.value, failure=error, key=key)
        for detail in self.details:
            try:
                places = detail.places(item.value)
            except NotSeen:  # the elements that it would be requested for are in a detail that wasn't seen
                if detail.each is None:
                    item.value[detail.name] = NOT_SEEN
                continue
            for place in places:
                if gone := await self._merge(api, detail, place, item):
                    return Item(listed.value, failure=gone, key=key)
        return Item(item.value, item.gaps, key=key, unseen=item.unseen)

    async def _refetched(self, api: ListedApi, refetch: Detail, listed: Mapping[str, Any]) -> dict[str, Any]:
        response: object = await refetch.response(api, listed)
        if not isinstance(response, dict):
            raise CallFailed(Failure.INVALID_RESPONSE, refetch.action, "the response is not an object")
        return response

    async def _merge(
        self, api: ListedApi, detail: Detail, place: dict[str, Any], item: PartialItem
    ) -> CallFailed | None:
        """Read a detail into the item or the element. Returns the error which means that the item no longer exists."""
        try:
            await detail.read(api, place)
        except NotSeen:
            place[detail.name] = NOT_SEEN
        except CallFailed as error:
            if error.code in detail.absent_codes:
                place[detail.name] = {}
            elif error.failure is Failure.NOT_FOUND and error.code in self.not_found_codes:
                return error
            elif error.failure is Failure.EXPIRED:
                raise
            else:
                place[detail.name] = None if detail.gap else NOT_SEEN
                item.unseen |= {detail.name} if detail.gap else set()
                item.gaps += (_gap(error),)
        return None


def _gap(error: CallFailed) -> Gap:
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
