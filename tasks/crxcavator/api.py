"""CRXcavator's API. It says nothing of limits; one server is one small service, so few calls are made at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tasks.clients.http import HttpApi, HttpService
from tasks.clients.rate_limiter import RateLimit, RateLimiter
from tasks.clients.variables import read_variable
from tasks.resource import Tenant

SERVICE: Final = HttpService(limit=lambda action: ("all", RateLimit(initial=10, maximum=20)), in_flight=5)


async def connect(tenant: Tenant, region: str, rate_limiter: RateLimiter) -> HttpApi:
    def headers() -> Mapping[str, str]:
        return {"API-Key": read_variable(tenant.access["api_key_variable"])}

    url = tenant.access["base_url"]
    return HttpApi(tenant=tenant, policy=SERVICE, rate_limiter=rate_limiter, base_url=url, headers=headers)
