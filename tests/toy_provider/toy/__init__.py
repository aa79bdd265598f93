"""A provider from another package, found by its entry point. Options say how many tenants and items it has.

`toy_tenants`, `toy_pages` and `toy_page_seconds` say how much there is and how long it takes; `toy_fails` names parts
that fail.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Final

from tasks.provider import (
    Api,
    CallFailed,
    Failure,
    Item,
    Listed,
    Node,
    Per,
    Provider,
    ProviderOptions,
    RateLimiter,
    ResourceType,
    Tenant,
    TenantAccess,
    key,
    option,
    prop,
    scope_region,
)


class ToyOptions(ProviderOptions):
    toy_tenants: int = option("how many tenants there are", default=1)
    toy_pages: int = option("pages per scope", default=1)
    toy_page_seconds: float = option("how long a page takes", default=0.0, metavar="SECONDS")
    toy_fails: str | None = option("parts that fail, joined by +", default=None)


class ToyAccess(TenantAccess):
    pages: str
    page_seconds: str
    fails: str = ""


@dataclass(slots=True)
class ToyApi:
    tenant: Tenant
    region: str
    partition: str = "toy"
    calls: int = 0

    @property
    def access(self) -> ToyAccess:
        return ToyAccess.from_json(self.tenant.access)


async def tenants(options: ToyOptions, rate_limiter: RateLimiter) -> Listed[Tenant]:
    access = ToyAccess(
        pages=str(options.toy_pages), page_seconds=str(options.toy_page_seconds), fails=options.toy_fails or ""
    ).as_json()
    ids = [f"t{number}" for number in range(options.toy_tenants)]
    return Listed([Tenant(provider="toy", id=id_, access=access) for id_ in ids], complete=True)


async def regions(api: Api, options: ToyOptions) -> Listed[str]:
    return Listed(["north", "south"], complete=True)


async def connect(tenant: Tenant, region: str, rate_limiter: RateLimiter) -> ToyApi:
    return ToyApi(tenant, region)


async def close() -> None: ...


def problems(options: ToyOptions) -> Iterable[str]:
    return ()


PROVIDER: Final = Provider(
    name="toy",
    tenants=tenants,
    regions=regions,
    connect=connect,
    problems=problems,
    close=close,
    options=ToyOptions,
)


class ToyBrick(Node, label="ToyBrick"):
    id: str = key("id")
    region: str = prop(scope_region)


class ToyStone(Node, label="ToyStone"):
    id: str = key("id")


@dataclass(frozen=True, slots=True)
class Pages:
    """Pages of ten items. With `in_parts`, each page is a part of the scope."""

    in_parts: bool = False
    calls: tuple[str, ...] = ("toy:List",)

    async def items(self, api: ToyApi, part: str) -> AsyncIterator[Item]:
        if part and part in api.access.fails.split("+"):
            raise CallFailed(Failure.DENIED, "toy:List", "this part fails", code="AccessDenied")
        pages = [part] if part else [str(n) for n in range(int(api.access.pages))]
        for page in pages:
            api.calls += 1
            await asyncio.sleep(float(api.access.page_seconds))
            for number in range(10):
                yield Item({"id": f"{api.tenant.id}/{api.region}/{page}/{number}"})

    def parts(self, api: ToyApi) -> AsyncIterator[str] | None:
        async def each() -> AsyncIterator[str]:
            for number in range(int(api.access.pages)):
                yield str(number)

        return each() if self.in_parts else None


BRICKS: Final = ResourceType("toy.bricks", Per.REGION, Pages(), (ToyBrick,))
STONES: Final = ResourceType("toy.stones", Per.TENANT, Pages(in_parts=True), (ToyStone,))
