"""What keeps a type from being seen, and how its scope may then end."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from typing import Final

from loaders.ledger import State
from tasks.clients.rate_limiter import RateLimit
from tasks.resource import Per, ResourceType
from tests.contract.other_responses import HANGS, OTHERS
from tests.contract.providers.aws import Aws
from tests.contract.samples import REGION, sample
from tests.contract.stand_in import OtherResponse, Responses, StandIn

MANY: Final = 1_000  # refusals: more than any attempt asks for
CLOSED: Final = {"ec2:DescribeRegions": [{"Regions": [{"RegionName": REGION, "OptInStatus": "not-opted-in"}]}]}


class Unlimited:
    """A rate limiter that never waits: how long throttled calls wait has tests of its own."""

    def __init__(self) -> None:
        self.throttles: list[str] = []  # the bucket of each

    async def acquire(self, bucket: str, limit: RateLimit) -> None: ...

    async def throttled(self, bucket: str, limit: RateLimit, retry_after_seconds: float | None) -> None:
        self.throttles.append(bucket)

    async def pause(self, bucket: str, limit: RateLimit, seconds: float) -> None: ...

    def slot(self, bucket: str, max_in_flight: int, *, patient: object) -> AbstractAsyncContextManager[None]:
        return nullcontext()


@dataclass(frozen=True)
class Fault:
    """Of the first call of a type's declaration.

    refuse  makes the provider answer so, until it forgets
    other   or what it answers instead; such scopes are tried at the same time, since each is asked for again
    ends    the states in which the scope may end
    """

    ends: Callable[[ResourceType], Collection[State]]
    refuse: Callable[[StandIn, str], None] | None = None
    other: OtherResponse | None = None

    def responses(self, type_: ResourceType) -> Responses:
        return sample(type_) | (CLOSED if self is CLOSED_REGION and type_.provider == Aws.provider else {})


def _close(stand_in: StandIn, call: str) -> None:
    if isinstance(stand_in, Aws):
        stand_in.not_enabled(call)
    else:
        stand_in.deny(call)  # no other provider has regions to close


def _of_closed_region(type_: ResourceType) -> Collection[State]:
    """Keys that no region knows are no keys: where there are no regions, that is denied."""
    is_regional = type_.provider == Aws.provider and type_.per is Per.REGION
    return (State.SKIPPED,) if is_regional else _of_denial(type_)


def _of_denial(_: ResourceType) -> Collection[State]:
    """Where the first call is one for details, what it lacks is a gap."""
    return State.DENIED, State.CLEANED


def _of_no_response(_: ResourceType) -> Collection[State]:
    return State.FAILED, State.DENIED


CLOSED_REGION: Final = Fault(_of_closed_region, _close)
FAULTS: Final[Mapping[str, Fault]] = {
    "denied": Fault(_of_denial, lambda stand_in, call: stand_in.deny(call)),
    "throttled to the end": Fault(lambda _: (State.FAILED,), lambda stand_in, call: stand_in.throttle(call, MANY)),
    "a closed region": CLOSED_REGION,
    **{name: Fault(_of_no_response, other=OTHERS[name]) for name in ("another object", "a page", "half of it", HANGS)},
}
