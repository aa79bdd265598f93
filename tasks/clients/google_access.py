"""How a tenant of Google's is reached."""

from __future__ import annotations

from tasks.tenant_access import TenantAccess


class GoogleAccess(TenantAccess):
    """`endpoint`: the base URL in place of each service's own. `state`: why the tenant can't be called, if so."""

    endpoint: str = ""
    state: str = ""
