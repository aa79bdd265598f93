"""A provider from another package, found by its entry point: tenants, regions and items are counted out by options.

`toy_tenants`, `toy_pages` and `toy_page_seconds` say how much there is and how long it takes; `toy_fails` names parts
that fail.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any, Final

from loaders.model import Node, key, prop, scope_region
from tasks.failures import CallFailed, Failure
from tasks.resource import Item, Listed, Option, Per, Provider, ResourceType, Tenant


@dataclass(slots=True)
class ToyApi:
    tenant: Tenant
    region: str
    partition: str = "toy"
    calls: int = 0


async def tenants(options: Any, budget: Any) -> Listed[Tenant]:
    access = {name: str(options.get(name) or "") for name in ("toy_pages", "toy_page_seconds", "toy_fails")}
    count = int(options.get("toy_tenants") or 1)
    return Listed([Tenant(provider="toy", id=f"t{n}", access=access) for n in range(count)], whole=True)


async def regions(api: ToyApi, options: Any) -> Listed[str]:
    return Listed(["north", "south"], whole=True)


async def connect(tenant: Tenant, region: str, budget: Any) -> ToyApi:
    return ToyApi(tenant, region)


async def close() -> None: ...


def missing(options: Any) -> Iterable[str]:
    return ()


PROVIDER: Final = Provider(
    name="toy",
    tenants=tenants,
    regions=regions,
    connect=connect,
    missing=missing,
    close=close,
    options=tuple(
        Option(name=name, meaning="for tests") for name in ("toy_tenants", "toy_pages", "toy_page_seconds", "toy_fails")
    ),
)


class ToyBrick(Node, label="ToyBrick"):
    id: str = key("id")
    region: str = prop(scope_region)


class ToyStone(Node, label="ToyStone"):
    id: str = key("id")


@dataclass(frozen=True, slots=True)
class Pages:
    """So many pages of ten items, each after a while; with `in_parts`, each page is a part."""

    in_parts: bool = False
    calls: tuple[str, ...] = ("toy:List",)

    async def items(self, api: ToyApi, part: str) -> AsyncIterator[Item]:
        if part and part in api.tenant.access["toy_fails"].split("+"):
            raise CallFailed(Failure.DENIED, "toy:List", "no", code="AccessDenied")
        pages = [part] if part else [str(n) for n in range(int(api.tenant.access["toy_pages"] or 1))]
        for page in pages:
            api.calls += 1
            await asyncio.sleep(float(api.tenant.access["toy_page_seconds"] or 0))
            for number in range(10):
                yield Item({"id": f"{api.tenant.id}/{api.region}/{page}/{number}"})

    def parts(self, api: ToyApi) -> AsyncIterator[str] | None:
        async def each() -> AsyncIterator[str]:
            for number in range(int(api.tenant.access["toy_pages"] or 1)):
                yield str(number)

        return each() if self.in_parts else None


BRICKS: Final = ResourceType("toy.bricks", Per.REGION, Pages(), (ToyBrick,))
STONES: Final = ResourceType("toy.stones", Per.TENANT, Pages(in_parts=True), (ToyStone,))
