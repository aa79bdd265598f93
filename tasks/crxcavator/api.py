"""CRXcavator's API. It documents no limits; a server is one small service, so few calls are concurrent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tasks.crxcavator.access import CrxcavatorAccess
from tasks.provider import HttpApi, HttpService, RateLimit, RateLimiter, Tenant, read_variable

SERVICE: Final = HttpService(limit=lambda action: ("all", RateLimit(initial=10, maximum=20)), in_flight=5)


async def connect(tenant: Tenant, region: str, rate_limiter: RateLimiter) -> HttpApi:
    access = CrxcavatorAccess.from_json(tenant.access)

    def headers() -> Mapping[str, str]:
        return {"API-Key": read_variable(access.api_key_variable)}

    return HttpApi(tenant=tenant, policy=SERVICE, rate_limiter=rate_limiter, base_url=access.base_url, headers=headers)
