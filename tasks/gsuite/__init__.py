"""GSuite, now Google Workspace: the users and groups of a customer."""

from __future__ import annotations

from typing import Final

from tasks import google_api
from tasks.gsuite import api, tenants
from tasks.resource import Provider

PROVIDER: Final = Provider(
    name="gsuite",
    tenants=tenants.tenants,
    regions=tenants.regions,
    connect=api.connect,
    missing=tenants.missing,
    close=api.close,
    calls=google_api.described(api.oauth_scope),
    options=(google_api.ENDPOINT,),
)
