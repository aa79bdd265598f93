"""GSuite as a provider: how its tenants are found and its API is reached."""

from __future__ import annotations

from typing import Final

from tasks.clients.google import google_calls
from tasks.clients.google_access import check_endpoint
from tasks.gsuite import api, tenants
from tasks.gsuite.options import OPTIONS
from tasks.provider import Provider

PROVIDER: Final = Provider(
    name="gsuite",
    tenants=tenants.tenants,
    regions=tenants.regions,
    connect=api.connect,
    problems=tenants.missing,
    check_tenant=check_endpoint,
    close=api.close,
    calls=google_calls(api.oauth_scope),
    options=OPTIONS,
)
