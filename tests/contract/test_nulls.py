"""What an API may leave out or set to null costs itself: every place of every item of a sample is nulled in turn.

Okta's description requires next to nothing of what it answers with, so each field may be absent, and each is tried.
CRXcavator publishes no description: there, too, each field is. Other providers are held to their own descriptions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any, Final

import pytest
import redis

from loaders.model import Source
from tasks.engine import registry
from tasks.engine.rows import ItemRows, read
from tasks.failures import InvalidRecord
from tasks.resource import ResourceType
from tests.contract.samples import items_over_http, sample, scope_of
from tests.contract.stand_in import StandIn

PROVIDERS: Final = ("okta", "crxcavator")
TYPES: Final = [type_ for name in PROVIDERS for type_ in registry.of(name)]
Place = tuple[str | int, ...]


@pytest.mark.parametrize("instead", [None, 7, [None], {"odd": {}}], ids=["null", "number", "list", "object"])
@pytest.mark.parametrize("type_", TYPES, ids=lambda type_: type_.name)
def test_what_is_null_or_of_an_odd_type_costs_itself(
    type_: ResourceType, instead: Any, stand_in: StandIn, broker: redis.Redis
) -> None:
    stand_in.responses = sample(type_)
    tenant, scope = stand_in.tenant_of(type_), scope_of(type_, stand_in)
    for item in items_over_http(type_.fetch, scope, stand_in, broker):
        whole = readable(type_, Source(item.value, scope, access=tenant.access), item.key)
        assert whole
        for place in places(item.value):
            where = f"{type_.name}: {'.'.join(map(str, place))} = {instead!r}"
            odd = Source(with_other(item.value, place, instead), scope, access=tenant.access)
            found = readable(type_, odd, item.key)
            if place in OWN_KEYS:  # by what it was asked for
                continue
            assert found, where
            if instead is None:
                wrong = [reason for reason in found.rejected.values() if "no key" not in reason]
                assert not wrong, f"{where}: {wrong}"
            assert lost(whole, found) <= max_lost(item.value, place), where


OWN_KEYS: Final = {("id",), ("extension",), ("version",)}  # of an item: nothing else tells which it is


def readable(type_: ResourceType, source: Source, key: str) -> ItemRows | None:
    """Whatever else it raises is an error of the declaration."""
    try:
        return read(type_, source, key or None)
    except InvalidRecord:
        return None


def places(value: Any, before: Place = ()) -> Iterator[Place]:
    """Every place in an item, down to single values."""
    inner = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for name, one in inner:
        yield (*before, name)
        yield from places(one, (*before, name))


def with_other(value: Any, place: Place, instead: Any) -> Any:
    found = deepcopy(value)
    inner = found
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = instead
    return found


def lost(whole: ItemRows, found: ItemRows) -> int:
    """Rows that are not there any more."""
    before, after = (Counter(model.label for model, _ in rows) for rows in (whole.rows, found.rows))
    return (before - after).total()


def max_lost(value: Any, place: Place) -> int:
    """All that lies at a place, each with what it shares; a field by itself is no more than its own thing."""
    for name in place:
        value = value[name]
    return 2 * max(1, len(value) if isinstance(value, list | Mapping) else 1)
