"""Each type makes the calls that its description says, and so many of them: counted by the server of the samples."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import redis

from loaders.model import at
from tasks.engine import registry
from tasks.engine.listing import Listing
from tasks.resource import Call, ResourceType
from tests.contract.samples import items_in, items_over_http, sample, scope_of, where
from tests.contract.stand_in import Responses, StandIn

every_type = pytest.mark.parametrize("type_", registry.types().values(), ids=registry.types().keys())


@every_type
def test_it_makes_the_calls_that_its_description_says(
    type_: ResourceType, stand_in: StandIn, broker: redis.Redis
) -> None:
    stand_in.responses = sample(type_)
    described = registry.providers()[type_.provider].calls(type_.fetch)
    expected = predicted(type_, described, stand_in, broker) if isinstance(type_.fetch, Listing) else None
    stand_in.forget()
    items_over_http(type_.fetch, scope_of(type_, stand_in), stand_in, broker)
    made = stand_in.counts
    assert set(made) == {call.call for call in described}, f"{where(type_)} must lead to each call"
    if expected is None:
        unstated = [call.call for call in described if not call.frequency]
        assert not unstated, (
            f"{type_.name}: say in `made` of {type(type_.fetch).__name__} how often it calls {unstated}"
        )
    else:
        assert made == expected, f"{type_.name}: other numbers of calls than its description says"


@every_type
def test_it_asks_nothing_twice(type_: ResourceType, stand_in: StandIn, broker: redis.Redis) -> None:
    stand_in.responses = sample(type_)
    stand_in.forget()
    items_over_http(type_.fetch, scope_of(type_, stand_in), stand_in, broker)
    asked = Counter((one.call, one.text) for one in stand_in.received)
    assert [name for name, times in asked.items() if times > 1] == []


# -- what the description says of a sample


def predicted(type_: ResourceType, described: Sequence[Call], stand_in: StandIn, broker: redis.Redis) -> Counter[str]:
    """How many calls follow from what the description says of each, and from the pages and items of the sample."""
    assert isinstance(type_.fetch, Listing)
    responses = sample(type_)

    def items_of(fetch: Listing) -> list[Any]:
        return [item.value for item in items_over_http(fetch, scope_of(type_, stand_in), stand_in, broker)]

    items = items_of(type_.fetch)
    beside = {one.name: items_of(one.listing) for one in type_.fetch.lookups}
    found: Counter[str] = Counter()
    for call in described:
        match re.fullmatch(r"(scope|item|(\d+) items|element of (.+?))(?: of (\w+))?", call.per or ""):
            case re.Match() as said:
                kind, most, path, listing = said.groups()
            case None:
                pytest.fail(f"{call.call}: this test doesn't know what 'per {call.per}' means")
        around = beside[listing] if listing else items
        asked = next((detail.only for detail in type_.fetch.details if detail.action == call.call), ())
        around = [one for one in around if all(at(where_, one) == value for where_, value in asked)]
        if kind == "scope":
            pages = responses[call.call]
            found[call.call] += len(pages) if isinstance(pages, list) else 1
        elif most:
            found[call.call] += sum(math.ceil(n / int(most)) for n in _items_per_page(type_.fetch, responses, stand_in))
        elif kind == "item":
            found[call.call] += sum(_pages(responses, call.call, one) for one in around)
        else:
            found[call.call] += sum(
                _pages(responses, call.call, one) for item in around for one in at(f"{path}[]", item) or ()
            )
    return found


def _items_per_page(fetch: Listing, responses: Responses, stand_in: StandIn) -> list[int]:
    """Of each page, the items that belong to this tenant."""
    listed = [
        [one for path in stand_in.items_paths(fetch) for one in items_in(page, path)]
        for page in responses[fetch.action]
    ]
    owner = fetch.owner_path
    return [sum(owner is None or at(owner, one) in (None, stand_in.tenant.id) for one in page) for page in listed]


def _pages(responses: Responses, action: str, place: Mapping[str, Any]) -> int:
    """How many pages the sample has of a call for this item, or element: of the response whose word stands in it."""
    of_calls = responses[action]
    if isinstance(of_calls, list):
        return len(of_calls)
    texts = [value for value in place.values() if isinstance(value, str)]
    words = [w for w in of_calls if any(re.search(rf"(?<![\w.-]){re.escape(w)}(?![\w.-])", t) for t in texts)]
    response = of_calls[max(words, key=len)]
    return len(response) if isinstance(response, list) else 1
