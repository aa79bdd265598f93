"""GSuite, now Google Workspace: the users and groups of a customer."""

from __future__ import annotations

from typing import Final

from tasks.clients.google import ENDPOINT, google_calls
from tasks.gsuite import api, tenants
from tasks.resource import Provider

PROVIDER: Final = Provider(
    name="gsuite",
    tenants=tenants.tenants,
    regions=tenants.regions,
    connect=api.connect,
    problems=tenants.missing,
    close=api.close,
    calls=google_calls(api.oauth_scope),
    options=(ENDPOINT,),
)
