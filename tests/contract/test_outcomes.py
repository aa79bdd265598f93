"""How an attempt at each type ends when its provider answers otherwise: every type, every call, over HTTP.

What is shown for one region holds for each: a region is a scope of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
import redis

from loaders.ledger import Ledger, State
from loaders.scope import Scope
from tasks.clients.rate_limiter import RateLimiter, RedisRateLimiter
from tasks.engine import registry
from tasks.engine.details import Detail
from tasks.engine.listing import Listing
from tasks.resource import Per, ResourceType
from tests.contract import event_loop, providers
from tests.contract.faults import CLOSED, Unlimited
from tests.contract.loading import fetch
from tests.contract.providers.aws import Aws
from tests.contract.samples import items_in, pages, sample, scope_of
from tests.contract.stand_in import SOMETHING_ELSE, Responses, StandIn

TYPES = registry.types().values()

every_type = pytest.mark.parametrize("type_", TYPES, ids=lambda type_: type_.name)
every_type_of_regions = pytest.mark.parametrize(
    "type_", [t for t in TYPES if providers.stand_in_class(t.provider).regions], ids=lambda type_: type_.name
)
every_partitioned_type = pytest.mark.parametrize(
    "type_", [t for t in TYPES if isinstance(t.fetch, Listing) and t.fetch.partitioned], ids=lambda type_: type_.name
)
every_call = pytest.mark.parametrize(
    ("type_", "call"),
    [
        pytest.param(type_, call, id=f"{type_.name} {call}")
        for type_ in TYPES
        for call in dict.fromkeys(type_.fetch.calls)
    ],
)
every_detail = pytest.mark.parametrize(
    ("type_", "detail"),
    [
        pytest.param(type_, detail, id=f"{type_.name} {detail.action}")
        for type_ in TYPES
        if isinstance(type_.fetch, Listing)
        for detail in type_.fetch.details
    ],
)


@dataclass(frozen=True)
class Ended:
    """How a scope and its parts ended: the worst state, the reasons, what was not seen, how many rows were pushed."""

    state: State
    reason: str
    gaps: list[str]
    rows: int


@dataclass
class Attempts:
    broker: redis.Redis
    stand_in: StandIn
    rate_limiter: RateLimiter

    def at(
        self, type_: ResourceType, fault: Callable[[], None] = lambda: None, *, responses: Responses | None = None
    ) -> Ended:
        """One attempt at the type's scope, and at each part that it plans."""
        self.stand_in.forget()
        fault()
        self.stand_in.responses = sample(type_) if responses is None else responses
        for key in self.broker.scan_iter("chartfleet:*"):
            self.broker.delete(key)
        ledger = Ledger(self.broker, "1-outcomes")
        ledger.open(tag=1, config={}, window=1, planners=[planner := Scope(type="any.tenants", tenant="all")])
        planning = ledger.begin(planner, lease_seconds=600, worker="contract")
        assert planning
        ledger.plan(planning, [(scope_of(type_, self.stand_in), False, 0.0)], queue=False)
        event_loop.run(self._attempts(type_, ledger))
        units = [unit for unit in ledger.units() if unit.scope.type == type_.name]
        worst = max(units, key=lambda unit: unit.state not in (State.FETCHED, State.CLEANED))
        return Ended(
            state=State.FETCHED if worst.state is State.CLEANED else worst.state,
            reason="; ".join(filter(None, (unit.reason for unit in units))),
            gaps=[gap for unit in units for gap in unit.outcome.get("gaps", ())],
            rows=sum(unit.rows for unit in units),
        )

    async def _attempts(self, type_: ResourceType, ledger: Ledger) -> None:
        tried: set[str] = set()
        while waiting := [u.scope for u in ledger.units() if u.scope.type == type_.name and u.scope.id not in tried]:
            for scope in waiting:
                tried.add(scope.id)
                if attempt := ledger.begin(scope, lease_seconds=600, worker="contract"):
                    await fetch(type_, attempt, ledger, self.stand_in, self.rate_limiter)


@pytest.fixture
def attempts(stand_in: StandIn, broker: redis.Redis) -> Attempts:
    return Attempts(broker, stand_in, RedisRateLimiter(broker))


@every_type
def test_a_whole_response_is_complete(type_: ResourceType, attempts: Attempts) -> None:
    ended = attempts.at(type_)
    assert (ended.state, ended.reason) == (State.FETCHED, "")
    assert ended.rows > 0


@every_call
def test_a_throttled_call_is_repeated_once_the_fleet_knows_of_it(
    type_: ResourceType, call: str, attempts: Attempts
) -> None:
    attempts.rate_limiter = limiter = Unlimited()
    ended = attempts.at(type_, lambda: attempts.stand_in.throttle(call))
    assert (ended.state, ended.reason) == (State.FETCHED, "")
    assert len(limiter.throttles) == 1


@every_call
def test_what_is_denied_is_named(type_: ResourceType, call: str, attempts: Attempts) -> None:
    """Without its list the scope is denied, so that nothing of it is deleted. Without a detail the items are there, and
    the detail is told as not seen.
    """
    ended = attempts.at(type_, lambda: attempts.stand_in.deny(call))
    if isinstance(type_.fetch, Listing):
        assert ended.state is (State.DENIED if call == type_.fetch.action else State.FETCHED)
    assert ended.state in (State.DENIED, State.FETCHED)
    told = ended.reason if ended.state is State.DENIED else "".join(ended.gaps)
    assert attempts.stand_in.permission(call) in told


@every_type_of_regions
def test_a_region_that_is_not_enabled_is_skipped(type_: ResourceType, attempts: Attempts) -> None:
    """Keys that no region knows are no keys: where there are no regions, that is denied."""
    aws = attempts.stand_in
    assert isinstance(aws, Aws)
    ended = attempts.at(type_, lambda: aws.not_enabled(type_.fetch.calls[0]), responses=sample(type_) | CLOSED)
    assert ended.state is (State.SKIPPED if type_.per is Per.REGION else State.DENIED)
    assert ended.rows == 0


@every_type
def test_nothing_is_complete(type_: ResourceType, attempts: Attempts) -> None:
    is_code = not isinstance(type_.fetch, Listing)
    lists = attempts.stand_in.lists(type_)
    if not lists or (is_code and lists[0][0] != type_.fetch.calls[0]):
        pytest.skip("a response of it is an item: there is always one")
    ended = attempts.at(type_, responses=without_items(type_, attempts.stand_in))
    if not attempts.stand_in.tells_empty:
        assert (ended.state, ended.rows) == (State.FAILED, 0)
        return
    assert (ended.state, ended.reason, ended.rows) == (State.FETCHED, "", 0)
    if isinstance(type_.fetch, Listing):
        assert len(attempts.stand_in.received) == 1, "an empty scope costs one call"


def without_items(type_: ResourceType, stand_in: StandIn) -> Responses:
    """One page of each list, with nothing in it, and nothing after it."""
    responses, lists = deepcopy(sample(type_)), stand_in.lists(type_)
    for call in dict.fromkeys(call for call, _ in lists):
        found = responses[call]
        if isinstance(found, list) or call == lists[0][0]:
            page: Any = [] if (call, "") in lists and isinstance(next(pages(found)), list) else {}
            for path in (path for of, path in lists if of == call and path):
                *around, last = path.split(".")
                place = page
                for step in around:
                    place = place.setdefault(step, {})
                place |= {last: [], **stand_in.the_end}
            responses[call] = [page] if isinstance(found, list) else dict.fromkeys(found, page)
    return responses


@every_detail
def test_an_item_that_vanishes_between_list_and_detail_is_passed_over(
    type_: ResourceType, detail: Detail, attempts: Attempts
) -> None:
    """And the others are there. A "not found" that the declaration doesn't know is no reason to delete anything."""
    assert isinstance(type_.fetch, Listing)
    ended = attempts.at(type_)
    whole = ended.rows
    for code in (*type_.fetch.not_found_codes, *detail.absent_codes):
        ended = attempts.at(type_, partial(attempts.stand_in.lose, detail.action, code))
        assert (ended.state, ended.reason) == (State.FETCHED, ""), code
        assert ended.rows <= whole
    assert ended.rows > 0 or ended.reason.startswith("invalid response"), (
        "a page whose only item is nameless is no such page"
    )
    ended = attempts.at(type_, lambda: attempts.stand_in.lose(detail.action, SOMETHING_ELSE))
    assert ended.state is State.FETCHED
    assert SOMETHING_ELSE in "".join(ended.gaps)


@every_type
def test_a_malformed_item_is_rejected(type_: ResourceType, attempts: Attempts) -> None:
    """What the other items say is loaded. The scope fails where nothing tells the item from the others; else it is a
    gap, and the item stays as it is.
    """
    lists = attempts.stand_in.lists(type_)
    if not isinstance(type_.fetch, Listing) or not lists:
        pytest.skip("no listing of its own whose item could be cut")
    whole = attempts.at(type_).rows
    responses = deepcopy(sample(type_))
    if type_.fetch.partitioned:
        spoil_one(responses, (type_.fetch.partitioned.refetch or type_.fetch.details[0]).action)
    else:
        call, path = lists[0]
        items = next(items for page in responses[call] if (items := items_in(page, path)))
        items[0] = nameless(items[0])
        if items[0] == {}:
            pytest.skip("an item is nothing but its name, and without it nothing on the wire")
    ended = attempts.at(type_, responses=responses)
    assert ended.state in (State.FAILED, State.FETCHED)
    assert ended.reason if ended.state is State.FAILED else ended.gaps
    assert 0 < ended.rows <= whole


@every_partitioned_type
def test_a_listing_with_an_item_that_has_no_id_fails_as_a_whole(type_: ResourceType, attempts: Attempts) -> None:
    """No part could have it."""
    assert isinstance(type_.fetch, Listing)
    responses = deepcopy(sample(type_))
    [(call, path), *_] = attempts.stand_in.lists(type_)
    items_in(responses[call][0], path)[0].pop("id")
    ended = attempts.at(type_, responses=responses)
    assert (ended.state, ended.rows) == (State.FAILED, 0)
    assert ended.reason.startswith(f"invalid response: {call}: ")
    assert ended.reason.endswith("no id")


def spoil_one(responses: Responses, call: str) -> None:
    """Numbers where the first response to a call that is made per item has texts."""
    of_items = responses[call]
    assert isinstance(of_items, dict)
    name, response = next((name, response) for name, response in of_items.items() if response != [[]])
    if isinstance(response, list):
        page = response[0]
        page[0] = texts_as_numbers(page[0])
    else:
        of_items[name] = texts_as_numbers(response)


def texts_as_numbers(item: dict[str, Any]) -> dict[str, Any]:
    return {name: 0 if isinstance(value, str) else value for name, value in item.items()}


def nameless(item: Any) -> Any:
    """The item without what tells which one it is."""
    if isinstance(item, str):
        return ""
    return {
        name: value
        for name, value in item.items()
        if not name.lower().endswith(("id", "arn", "name", "identifier", "ip"))
    }
