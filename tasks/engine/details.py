"""Details: a call for each item of a listing, or one call for many items, merged into the items."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from loaders.model import NOT_SEEN, at
from tasks.engine.responses import at_or_none, name_of, objects_of, values_at
from tasks.failures import CallFailed, Failure
from tasks.resource import Gap, Tenant


class ListedApi(Protocol):
    """A provider's API as a listing reads it. Actions are the provider's own names for its calls.

    at_a_time   details that one scope requests at the same time. More than the API allows would only wait, and a scope
                that waits long is given back, and loses what it has read
    """

    tenant: Tenant

    @property
    def at_a_time(self) -> int: ...

    def pages(self, action: str, **parameters: Any) -> AsyncIterator[Any]:
        """Every page of a call. Raises CallFailed, RetryLater."""

    async def read_all(self, action: str, **parameters: Any) -> Any:
        """The response of a call, with the items of every page. Raises CallFailed, RetryLater."""

    def items_paths(self, action: str) -> tuple[str, ...]:
        """Where a response of a call holds its items. Raises CallFailed where the declaration has to state it."""


@dataclass(slots=True)
class PartialItem:
    """An item that is being read, with what could not be seen of it."""

    value: Any
    gaps: tuple[Gap, ...] = ()
    unseen: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Detail:
    """A call per item of a listing. Its response, with all pages, is merged into the item under the operation's name.

    each   makes the call for each element at this path of the item, and merges it into the element
    only   makes the call only where these paths have these values
    keep   of each listed element, keeps only these fields, as one list: an item may have many thousands
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
        """What the detail is requested for, and merged into."""
        try:
            found = [item] if self.each is None else at(self.each, item)
            return [place for place in objects_of(found) if all(at(path, place) == value for path, value in self.only)]
        except TypeError:  # not as declared: its rows are rejected with the reason
            return []

    @property
    def name(self) -> str:
        return name_of(self.action)

    async def read(self, api: ListedApi, place: dict[str, Any]) -> None:
        place[self.name] = await self.response(api, place)

    async def response(self, api: ListedApi, place: Mapping[str, Any]) -> Any:
        """Raises CallFailed, RetryLater; NotSeen where a parameter lies in a detail that was not seen."""
        parameters = self._parameters(place)
        if not self.keep:
            return await api.read_all(self.action, **parameters)
        kept: list[dict[str, Any]] = []
        async for page in api.pages(self.action, **parameters):
            for path in api.items_paths(self.action):
                elements = values_at(path, page, self.action)
                objects = (element for element in elements if isinstance(element, Mapping))  # others are ignored
                kept += [{name: element[name] for name in self.keep if name in element} for element in objects]
        return kept

    def _parameters(self, place: Mapping[str, Any]) -> dict[str, Any]:
        try:
            parameters = {name: at(path, place) for name, path in self.parameters}
        except TypeError as error:
            raise CallFailed(Failure.INVALID_RESPONSE, self.action, str(error)) from None
        if missing := [path for name, path in self.parameters if not parameters[name]]:
            raise CallFailed(Failure.INVALID_RESPONSE, self.action, f"an item has no {missing[0]}")
        if odd := [path for name, path in self.parameters if not isinstance(parameters[name], str)]:
            # Not sent: "not found", which it would return, would mean that the item no longer exists.
            raise CallFailed(Failure.INVALID_RESPONSE, self.action, f"{odd[0]} of an item is not text")
        return parameters | dict(self.constants)


@dataclass(frozen=True, slots=True)
class BatchDetail:
    """One call for up to `max_batch` items. Each item gets its part of the response, found by the value at `key`, under
    the operation's name. An item that the response doesn't have no longer exists.
    """

    action: str
    parameter: str
    path: str
    max_batch: int
    key: str

    @property
    def name(self) -> str:
        return name_of(self.action)

    async def read(self, api: ListedApi, page: Sequence[PartialItem]) -> list[PartialItem]:
        keys = [self._key(item.value) for item in page]
        by_key = {key: item for key, item in zip(keys, page, strict=True) if key}
        detailed = [item for key, item in zip(keys, page, strict=True) if not key]  # rejected when they become rows
        wanted = list(by_key)
        for start in range(0, len(wanted), self.max_batch):
            details = await self._read_batch(api, wanted[start : start + self.max_batch])
            detailed += [self._merged(by_key[key], detail) for key, detail in details.items() if key in by_key]
        return detailed

    def _key(self, item: object) -> str:
        key: object = at_or_none(self.path, item)
        return key if isinstance(key, str) else ""

    def _merged(self, item: PartialItem, detail: object) -> PartialItem:
        if isinstance(detail, CallFailed):
            return PartialItem({**item.value, self.name: NOT_SEEN}, (*item.gaps, Gap.of(detail)))
        return PartialItem({**item.value, self.name: detail}, item.gaps)

    async def _read_batch(self, api: ListedApi, keys: list[str]) -> dict[str, object]:
        """By key, the item's part of the response or the error. A rejected batch is split in halves, so that one item
        doesn't affect the others.
        """
        try:
            response: object = await api.read_all(self.action, **{self.parameter: keys})
            items, _, key = self.key.rpartition("[].")
            return self._by_key(key, values_at(items, response, self.action))
        except CallFailed as error:
            if error.failure is Failure.EXPIRED:
                raise
            if len(keys) == 1 or error.failure not in (Failure.UNEXPECTED, Failure.NOT_FOUND):
                return dict.fromkeys(keys, error)
            half = len(keys) // 2
            return {**await self._read_batch(api, keys[:half]), **await self._read_batch(api, keys[half:])}

    def _by_key(self, path: str, elements: list[Any]) -> dict[str, object]:
        """An element without a key could be any of those that were requested, and none of them may count as gone."""
        by_key: dict[str, object] = {}
        for element in elements:
            key: object = at(path, element) if isinstance(element, Mapping) else None
            if not isinstance(key, str):
                raise CallFailed(Failure.INVALID_RESPONSE, self.action, f"an item of the response has no {path}")
            by_key[key] = element
        return by_key
