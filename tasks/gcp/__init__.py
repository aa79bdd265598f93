"""Google Cloud Platform: organizations with their folders, and projects with what is in them."""

from __future__ import annotations

from typing import Final

from tasks import google_api
from tasks.gcp import api, identity, tenants
from tasks.gcp.permissions import permission
from tasks.resource import Provider

PROVIDER: Final = Provider(
    name="gcp",
    tenants=tenants.tenants,
    regions=tenants.regions,
    connect=api.connect,
    missing=tenants.missing,
    close=identity.close,
    calls=google_api.described(permission),
    options=(google_api.ENDPOINT,),
)
