"""A provider whose scopes hold nothing and make no call: what remains is what a fleet itself needs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Final

from tasks.provider import (
    Api,
    Item,
    Listed,
    Node,
    Per,
    Provider,
    ProviderOptions,
    RateLimiter,
    ResourceType,
    Tenant,
    key,
    option,
)

NUMBER_OF_TYPES: Final = 30


class EmptyOptions(ProviderOptions):
    empty_tenants: int = option("how many tenants there are", default=1)
    empty_regions: int = option("how many regions a tenant has", default=1)


@dataclass(slots=True)
class EmptyApi:
    tenant: Tenant
    region: str
    partition: str = "empty"
    calls: int = 0


@dataclass(frozen=True, slots=True)
class Nothing:
    calls: tuple[str, ...] = ("empty:List",)

    async def items(self, api: EmptyApi, part: str) -> AsyncIterator[Item]:
        none: tuple[Item, ...] = ()
        for item in none:
            yield item

    def parts(self, api: EmptyApi) -> None:
        return None


def _node(number: int) -> type[Node]:
    class EmptyThing(Node, label=f"EmptyThing{number}"):
        id: str = key("id")

    return EmptyThing


async def tenants(options: EmptyOptions, rate_limiter: RateLimiter) -> Listed[Tenant]:
    return Listed([Tenant(provider="empty", id=f"{n:012}") for n in range(options.empty_tenants)], complete=True)


async def regions(api: Api, options: EmptyOptions) -> Listed[str]:
    return Listed([f"region-{n}" for n in range(options.empty_regions)], complete=True)


async def connect(tenant: Tenant, region: str, rate_limiter: RateLimiter) -> EmptyApi:
    return EmptyApi(tenant, region)


async def close() -> None: ...


def problems(options: EmptyOptions) -> Iterable[str]:
    return ()


PROVIDER: Final = Provider(
    name="empty",
    tenants=tenants,
    regions=regions,
    connect=connect,
    problems=problems,
    close=close,
    options=EmptyOptions,
)

TYPES: Final = [
    ResourceType(f"empty.things_{number}", Per.REGION, Nothing(), (_node(number),)) for number in range(NUMBER_OF_TYPES)
]
globals().update({f"THINGS_{number}": type_ for number, type_ in enumerate(TYPES)})  # a type is found by its name here
