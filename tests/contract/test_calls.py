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
from tasks import registry
from tasks.aws import calls
from tasks.listing import Listing
from tasks.resource import ResourceType
from tests.contract import shapes
from tests.contract.samples import items_over_http, sample, scope_of, where
from tests.servers.answers import ACCOUNT, Answers, AnswerServer

every_aws_type = pytest.mark.parametrize("type_", registry.of("aws"), ids=lambda type_: type_.name)


@every_aws_type
def test_it_makes_the_calls_that_its_description_says(
    type_: ResourceType, aws: AnswerServer, broker: redis.Redis
) -> None:
    aws.answers = sample(type_)
    expected = predicted(type_, broker) if isinstance(type_.fetch, Listing) else None
    aws.received = []
    items_over_http(type_.fetch, scope_of(type_), broker)
    made = Counter(f"{call.service}:{call.action}" for call in aws.received)
    described = calls.of(type_.fetch)
    assert set(made) == {call.call for call in described}, f"{where(type_)} must lead to each call"
    if expected is None:
        unstated = [call.call for call in described if not call.made]
        assert not unstated, (
            f"{type_.name}: say in `made` of {type(type_.fetch).__name__} how often it calls {unstated}"
        )
    else:
        assert made == expected, f"{type_.name}: other numbers of calls than tasks/aws/calls.py says"


@every_aws_type
def test_it_asks_nothing_twice(type_: ResourceType, aws: AnswerServer, broker: redis.Redis) -> None:
    aws.answers, aws.received = sample(type_), []
    items_over_http(type_.fetch, scope_of(type_), broker)
    asked = Counter((call.service, call.action, call.text) for call in aws.received)
    assert [name for name, times in asked.items() if times > 1] == []


# -- what the description says of a sample


def predicted(type_: ResourceType, broker: redis.Redis) -> Counter[str]:
    """How many calls follow from what the description says of each, and from the pages and items of the sample."""
    assert isinstance(type_.fetch, Listing)
    answers = sample(type_)
    items = _items(type_.fetch, type_, broker)
    beside = {one.name: _items(one.listing, type_, broker) for one in type_.fetch.besides}
    found: Counter[str] = Counter()
    for call in calls.of(type_.fetch):
        match re.fullmatch(r"(scope|item|(\d+) items|element of (.+?))(?: of (\w+))?", call.per or ""):
            case re.Match() as said:
                kind, most, path, listing = said.groups()
            case None:
                pytest.fail(f"{call.call}: this test doesn't know what 'per {call.per}' means")
        around = beside[listing] if listing else items
        asked = next((detail.only for detail in type_.fetch.details if detail.action == call.call), ())
        around = [one for one in around if all(at(where_, one) == value for where_, value in asked)]
        if kind == "scope":
            pages = answers[call.call]
            found[call.call] += len(pages) if isinstance(pages, list) else 1
        elif most:
            found[call.call] += sum(math.ceil(n / int(most)) for n in _items_per_page(type_.fetch, answers))
        elif kind == "item":
            found[call.call] += sum(_pages(answers, call.call, one) for one in around)
        else:
            found[call.call] += sum(
                _pages(answers, call.call, one) for item in around for one in at(f"{path}[]", item) or ()
            )
    return found


def _items(fetch: Listing, type_: ResourceType, broker: redis.Redis) -> list[Any]:
    return [item.value for item in items_over_http(fetch, scope_of(type_), broker)]


def _items_per_page(fetch: Listing, answers: Answers) -> list[int]:
    """Of each page, the items that belong to this account."""
    pages: Sequence[Mapping[str, Any]] = answers[fetch.action]  # type: ignore[assignment]
    listed = [[one for path in shapes.items_paths(fetch) for one in at(path, page) or ()] for page in pages]
    owner = fetch.owner_at
    return [sum(owner is None or at(owner, one) in (None, ACCOUNT) for one in page) for page in listed]


def _pages(answers: Answers, action: str, place: Mapping[str, Any]) -> int:
    """How many pages the sample has of a call for this item, or element: of the answer whose word stands in it."""
    of_calls = answers[action]
    if isinstance(of_calls, list):
        return len(of_calls)
    texts = [value for value in place.values() if isinstance(value, str)]
    words = [w for w in of_calls if any(re.search(rf"(?<![\w.-]){re.escape(w)}(?![\w.-])", t) for t in texts)]
    answer = of_calls[max(words, key=len)]
    return len(answer) if isinstance(answer, list) else 1
