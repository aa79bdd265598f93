"""What isn't as declared costs itself: each place of an item of every type gets each odd value in turn.

Nothing crashes, whatever comes; no row has a value that the graph can't hold; and a text in the place of a list is not
read letter by letter. What botocore's parser leaves in the place of a list or an object of AWS stands there as well.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import replace
from typing import Any, Final

import msgpack
import pytest
import redis

from loaders import batch
from loaders.model import Source
from tasks.aws.client.lenient_handlers import Misfit
from tasks.engine import registry
from tasks.engine.rows import ItemRows, read
from tasks.failures import InvalidRecord
from tasks.resource import ResourceType
from tests.contract.samples import items_over_http, sample, scope_of
from tests.contract.stand_in import StandIn

Place = tuple[str | int, ...]

TYPES: Final = registry.types().values()
TEXT: Final = "\u03b1\u03b2\u03b3"  # no sample has any of these letters: by themselves they are letters of a text
FIELD: Final = "\u03ba\u03bb"
ODD: Final[Mapping[str, Any]] = {
    "null": None,
    "text": TEXT,
    "empty text": "",
    "object": {FIELD: 1},
    "list": [TEXT],
    "list of lists": [[TEXT], {}, None, 7],
    "beyond 64 bits": 2**63,
    "not a number": math.nan,
    "half a character": "\ud800x",
    "bytes": b"\xff\x00",
    "zero": 0,
}


@pytest.mark.parametrize("type_", TYPES, ids=lambda type_: type_.name)
def test_what_is_odd_costs_itself(type_: ResourceType, stand_in: StandIn, broker: redis.Redis) -> None:
    seen: set[tuple[Place, type]] = set()
    for source, key in sources(type_, stand_in, broker):
        for place, old in places(source.item):
            if (kind := (general(place), type(old))) in seen:
                continue
            seen.add(kind)
            for name, odd in odd_values(type_, old):
                where = f"{type_.name}: {'.'.join(map(str, place))} is {name}"
                rows = attempt(type_, replace(source, item=with_other(source.item, place, odd)), key, where)
                if rows is not None:
                    check(rows, where, is_list=isinstance(old, list))


def sources(type_: ResourceType, stand_in: StandIn, broker: redis.Redis) -> Iterator[tuple[Source, str]]:
    """The items of the sample."""
    stand_in.responses = sample(type_)
    tenant, scope = stand_in.tenant_of(type_), scope_of(type_, stand_in)
    for item in items_over_http(type_.fetch, scope, stand_in, broker):
        yield Source(item.value, scope, (), stand_in.partition, tenant.name, tenant.access), item.key


def attempt(type_: ResourceType, source: Source, key: str, where: str) -> ItemRows | None:
    """None where the item as a whole is rejected. Whatever else is raised would be an error of the declaration."""
    try:
        return read(type_, source, key or None)
    except InvalidRecord:
        return None
    except Exception as error:  # noqa: BLE001  # whatever it is, the test says where
        pytest.fail(f"{where}: {error!r}")


def check(rows: ItemRows, where: str, *, is_list: bool) -> None:
    for _, row in rows.rows:
        packed = msgpack.unpackb(batch.pack(row), raw=False)
        for value in values(packed):
            assert storable(value), f"{where}: {value!r}"
            if is_list and isinstance(value, str):
                assert not {*value} & {*TEXT} or TEXT in value, f"{where}: read letter by letter: {value!r}"
                assert FIELD not in value, f"{where}: read field by field"


def storable(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    return value is None or isinstance(value, str)


def values(value: Any) -> Iterator[Any]:
    """Every value in a row: nothing is a list within a list, or an object, but the row and its properties."""
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from values(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from values(inner)
    else:
        yield value


def odd_values(type_: ResourceType, old: Any) -> Iterator[tuple[str, Any]]:
    """What may stand there. AWS's lists and objects come from botocore's parser, which lets nothing else through."""
    if type_.provider == "aws" and isinstance(old, list | Mapping):
        yield from {"null": None, "empty": type(old)(), "a misfit": Misfit(TEXT, "list")}.items()
        return
    yield from ((name, odd) for name, odd in ODD.items() if type(odd) is not type(old) or not odd)


def places(value: Any, before: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Every place in an item, down to single values, and what is there; of the elements of a list, the first two."""
    inner: Any = (
        value.items() if isinstance(value, Mapping) else enumerate(value[:2]) if isinstance(value, list) else ()
    )
    for name, one in inner:
        yield (*before, name), one
        yield from places(one, (*before, name))


def general(place: Place) -> Place:
    return tuple("[]" if isinstance(step, int) else step for step in place)


def with_other(value: Any, place: Place, odd: Any) -> Any:
    """A copy as far as the place is concerned."""
    if not place:
        return odd
    step, *rest = place
    copied = copy(value)
    copied[step] = with_other(value[step], tuple(rest), odd)
    return copied
