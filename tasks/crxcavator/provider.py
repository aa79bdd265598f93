"""CRXcavator as a provider: how its tenants are found and its API is reached."""

from __future__ import annotations

from typing import Final

from tasks.crxcavator import api, tenants
from tasks.crxcavator.options import OPTIONS
from tasks.provider import Provider, close_http, http_calls

PROVIDER: Final = Provider(
    name="crxcavator",
    tenants=tenants.tenants,
    regions=tenants.regions,
    connect=api.connect,
    problems=tenants.missing,
    check_tenant=tenants.check_tenant,
    close=close_http,
    calls=http_calls,
    options=OPTIONS,
)
