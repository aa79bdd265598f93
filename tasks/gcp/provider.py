"""Google Cloud Platform as a provider: how its tenants are found and its API is reached."""

from __future__ import annotations

from typing import Final

from tasks.clients.google import google_calls
from tasks.clients.google_access import check_endpoint
from tasks.gcp import api, identity, tenants
from tasks.gcp.options import OPTIONS
from tasks.gcp.permissions import permission
from tasks.provider import Provider

# What Cartography's `--gcp-requested-syncs` takes as well, up to 0.143.0.
_OTHER_WORDS: Final = {
    "permission_relationships": "Chartfleet has no permission relationships for GCP",
    **dict.fromkeys(
        (
            "aiplatform",
            "apikeys",
            "artifact_registry",
            "bigquery_connection",
            "bigtable",
            "cloud_run",
            "gcf",
            "secretsmanager",
        ),
        "not fetched: Chartfleet has no resource type for it yet",
    ),
}

PROVIDER: Final = Provider(
    name="gcp",
    tenants=tenants.tenants,
    regions=tenants.regions,
    connect=api.connect,
    problems=tenants.missing,
    check_tenant=check_endpoint,
    close=identity.close,
    calls=google_calls(permission),
    options=OPTIONS,
    other_words=_OTHER_WORDS,
)
