"""How an Okta organization is reached."""

from __future__ import annotations

from tasks.provider import TenantAccess


class OktaAccess(TenantAccess):
    """`saml_role_regex`: not for access, but for reading role names out of group names."""

    saml_role_regex: str
    base_url: str = ""
    api_key_variable: str = ""
