"""Pages of CloudFront VPC origins: an empty page has no list, and origins of other accounts are skipped."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from tasks.aws.client.client import AwsApi
from tasks.aws.cloudfront import VPC_ORIGINS
from tasks.clients.rate_limiter import RateLimit
from tasks.failures import CallFailed, Failure
from tasks.resource import Tenant

Page = dict[str, Any]


class NoRateLimiter:
    """Never waits."""

    async def acquire(self, bucket: str, limit: RateLimit) -> None:
        pass


@dataclass(slots=True)
class FromMemory(AwsApi):
    """Responds by the marker in the request."""

    responses: dict[str, Page] = field(default_factory=dict)

    async def call(self, action: str, **parameters: Any) -> Page:
        return {"VpcOriginList": self.responses[parameters.get("Marker", "")]}


def origin(name: str, account: str = "1111") -> dict[str, str]:
    return {"Id": name, "Arn": f"arn:aws:cloudfront::{account}:vpcorigin/{name}"}


def listed(responses: dict[str, Page]) -> list[str]:
    async def read() -> list[str]:
        tenant = Tenant(provider="aws", id="1111")
        api = FromMemory(tenant, "global", NoRateLimiter(), "aws", responses=responses)  # type: ignore[arg-type]
        return [item.value["Id"] async for item in VPC_ORIGINS.fetch.items(api, "")]

    return asyncio.run(read())


def page(*origins: dict[str, str], to: str = "") -> Page:
    following = {"IsTruncated": True, "NextMarker": to} if to else {"IsTruncated": False}
    return {"Quantity": len(origins), **({"Items": list(origins)} if origins else {}), **following}


def test_every_page_is_read_and_origins_of_other_accounts_are_skipped() -> None:
    responses = {"": page(origin("a"), origin("b", "2222"), to="m"), "m": page(to="n"), "n": page(origin("c"))}
    assert listed(responses) == ["a", "c"]


def test_an_account_without_origins_has_none() -> None:
    assert listed({"": page()}) == []


@pytest.mark.parametrize(
    "responses",
    [
        {"": {}},
        {"": {"Quantity": 1, "IsTruncated": False}},
        {"": {"Quantity": 0, "IsTruncated": True}},
        {"": page(to="m"), "m": page(to="m")},
    ],
    ids=["empty", "list missing", "no next page", "the same page again"],
)
def test_an_incomplete_response_is_invalid(responses: dict[str, Page]) -> None:
    with pytest.raises(CallFailed) as caught:
        listed(responses)
    assert caught.value.failure is Failure.INVALID_RESPONSE
