"""How a tenant of Google's is reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tasks.tenant_access import TenantAccess

if TYPE_CHECKING:
    from tasks.clients.google_options import GoogleOptions
    from tasks.resource import Tenant


class GoogleAccess(TenantAccess):
    """`endpoint`: the base URL in place of each service's own. `state`: why the tenant can't be called, if so."""

    endpoint: str = ""
    state: str = ""


def check_endpoint(options: GoogleOptions, tenant: Tenant) -> str:
    """Credentials go to Google, or to the endpoint of this worker's own settings."""
    endpoint = GoogleAccess.from_json(tenant.access).endpoint
    own = options.google_api_endpoint or ""
    return f"Google is served at {endpoint or 'its own addresses'}" if endpoint != own else ""
