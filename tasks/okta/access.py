"""How an Okta organization is reached."""

from __future__ import annotations

from tasks.tenant_access import TenantAccess


class OktaAccess(TenantAccess):
    """`saml_role_regex` isn't needed to reach it, but to read its groups' names."""

    saml_role_regex: str
    base_url: str = ""
    api_key_variable: str = ""
