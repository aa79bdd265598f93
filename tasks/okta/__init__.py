"""Okta: the people of an organization, their groups, applications, factors and administrator roles."""

from __future__ import annotations

from typing import Final

from tasks.clients.base_url import check_base_url
from tasks.clients.http import http_calls
from tasks.clients.http_requests import close_http
from tasks.okta import api, saml, tenants
from tasks.resource import Option, Provider

PROVIDER: Final = Provider(
    name="okta",
    tenants=tenants.tenants,
    regions=tenants.regions,
    connect=api.connect,
    problems=tenants.missing,
    conflicts=tenants.conflicts,
    close=close_http,
    calls=http_calls,
    options=(
        Option(
            name="okta_org_id",
            meaning="the organization: the first word of <org>.okta.com. With okta_api_key_env_var it turns Okta on",
            check=tenants.check_org,
        ),
        Option(
            name="okta_api_key_env_var",
            meaning="NAME of the variable that holds the API token of the organization",
            names_variable=True,
        ),
        Option(
            name="okta_base_url",
            meaning="where the organization is served, if not at https://<org>.okta.com: a custom domain",
            check=check_base_url,
        ),
        Option(
            name="okta_saml_role_regex",
            meaning="which groups are roles of AWS, by their names: {{role}} and {{accountid}} mark what is what",
            default=saml.DEFAULT,
            check=saml.check,
        ),
    ),
)
