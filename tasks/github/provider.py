"""GitHub as a provider: how its tenants are found and its API is reached."""

from __future__ import annotations

from typing import Final

from tasks.github import api, tenants
from tasks.github.options import OPTIONS
from tasks.provider import Provider, close_http

PROVIDER: Final = Provider(
    name="github",
    tenants=tenants.tenants,
    regions=tenants.regions,
    connect=api.connect,
    problems=tenants.missing,
    check_tenant=tenants.check_tenant,
    close=close_http,
    options=OPTIONS,
    calls=api.github_calls,
)
