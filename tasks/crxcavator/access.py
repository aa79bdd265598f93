"""How a CRXcavator server is reached."""

from __future__ import annotations

from tasks.provider import TenantAccess


class CrxcavatorAccess(TenantAccess):
    base_url: str
    api_key_variable: str
