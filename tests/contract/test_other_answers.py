"""What comes with status 200 and is no response (a proxy's page, an error of a gateway, half a response) must not
read as an empty list: it would delete everything of its kind. Every type, and each of its calls, over HTTP.

All attempts run at the same time: a response that can't be read is asked for again, and that takes a while.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing
from typing import Final

import pytest
import redis

from loaders.ledger import Ledger, State, Unit
from loaders.scope import Scope
from tasks.clients.google_documents import discovery_document, lists_of, method_of
from tasks.clients.rate_limiter import RedisRateLimiter
from tasks.engine import registry
from tasks.resource import ResourceType
from tests.contract import event_loop
from tests.contract.google_stand_in import GoogleStandIn
from tests.contract.loading import fetch
from tests.contract.other_responses import EMPTY_OBJECT, HANGS, OTHERS, time_for_a_response
from tests.contract.samples import scope_of
from tests.contract.stand_in import OtherResponse, StandIn

TYPES: Final = registry.types().values()
Ended = Mapping[tuple[str, str], Unit]  # by the name of the type, and what was answered


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("type_", TYPES, ids=lambda type_: type_.name)
def test_what_is_no_response_deletes_nothing(type_: ResourceType, other: str, ended: Ended) -> None:
    """The scope fails, or is denied; it is neither complete nor skipped, as skipped it would count as expected."""
    unit = ended[type_.name, other]
    if other == EMPTY_OBJECT and says_empty(type_):
        assert (unit.state, unit.rows) == (State.FETCHED, 0)
        return
    assert unit.state in (State.FAILED, State.DENIED), f"{unit.state}: it would be deleted"
    assert unit.reason
    assert unit.rows == 0
    assert "unexpected" not in unit.reason, "the declaration's code, or the provider's API, didn't look at what came"


def says_empty(type_: ResourceType) -> bool:
    """Whether an object without fields is how the API says that there is nothing: Google's discovery document says so,
    if the response lists things and the document doesn't say of which `kind` it is.
    """
    if type_.provider not in GOOGLE:
        return False
    call = type_.fetch.calls[0]
    response = discovery_document(call.partition(":")[0])["schemas"][method_of(call)["response"]["$ref"]]
    return bool(lists_of(call)) and "default" not in response["properties"].get("kind", {})


GOOGLE: Final = ("gcp", "gsuite")


# --- the attempts


@pytest.fixture(scope="module")
def ended(request: pytest.FixtureRequest, broker_url: str, stand_ins: dict[str, StandIn]) -> Iterator[Ended]:
    """How each scope ended, of the types and answers whose tests are selected."""
    chosen: dict[str, dict[str, ResourceType]] = {}
    for item in request.session.items:
        spec = getattr(item, "callspec", None)
        if item.module is request.module and spec:  # type: ignore[attr-defined]
            type_ = spec.params["type_"]
            chosen.setdefault(spec.params["other"], {})[type_.name] = type_
    assert all(isinstance(stand_ins[name], GoogleStandIn) == (name in GOOGLE) for name in stand_ins)
    with closing(redis.Redis.from_url(broker_url)) as broker:
        yield {
            (name, other): unit
            for other, types in chosen.items()
            for name, unit in attempts(types.values(), OTHERS[other], stand_ins, broker).items()
        }


def attempts(
    types: Collection[ResourceType], other: OtherResponse, stand_ins: Mapping[str, StandIn], broker: redis.Redis
) -> dict[str, Unit]:
    """One at each type's scope; by the name of the type."""
    for name, stand_in in stand_ins.items():
        stand_in.forget()
        stand_in.respond_otherwise({type_.fetch.calls[0] for type_ in types if type_.provider == name}, other)
    with time_for_a_response(1.0 if other is OTHERS[HANGS] else 60.0):
        return attempt_each(types, stand_ins, broker)


def attempt_each(
    types: Collection[ResourceType], stand_ins: Mapping[str, StandIn], broker: redis.Redis
) -> dict[str, Unit]:
    """One attempt at the scope of each type, with what the servers answer now; by the name of the type."""
    for key in broker.scan_iter("chartfleet:*"):
        broker.delete(key)
    ledger = Ledger(broker, "1-others")
    ledger.open(tag=1, config={}, window=1, planners=[planner := Scope(type="any.tenants", tenant="all")])
    planning = ledger.begin(planner, lease_seconds=600, worker="contract")
    assert planning
    ledger.plan(planning, [(scope_of(type_, stand_ins[type_.provider]), True, 0.0) for type_ in types], queue=False)
    event_loop.run(_at_the_same_time(types, stand_ins, ledger, broker))
    found = {type_.name: ledger.unit(scope_of(type_, stand_ins[type_.provider])) for type_ in types}
    return {name: unit for name, unit in found.items() if unit is not None}


async def _at_the_same_time(
    types: Collection[ResourceType], stand_ins: Mapping[str, StandIn], ledger: Ledger, broker: redis.Redis
) -> None:
    async def one(type_: ResourceType) -> None:
        attempt = ledger.begin(scope_of(type_, stand_ins[type_.provider]), lease_seconds=600, worker="contract")
        assert attempt
        await fetch(type_, attempt, ledger, stand_ins[type_.provider], RedisRateLimiter(broker))

    try:
        await asyncio.gather(*(one(type_) for type_ in types))
    finally:
        for stand_in in stand_ins.values():
            await stand_in.close()
