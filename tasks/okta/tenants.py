"""The tenant: the organization that the options name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tasks.okta.access import OktaAccess
from tasks.okta.options import OktaOptions
from tasks.provider import Api, Listed, NotConfigured, RateLimiter, Tenant, unset_variables

_OFF: Final = "okta_org_id and okta_api_key_env_var enable it: the organization, and the NAME of its token's variable"


async def tenants(options: OktaOptions, rate_limiter: RateLimiter) -> Listed[Tenant]:
    """Raises NotConfigured if no organization is named."""
    org, variable = options.okta_org_id, options.okta_api_key_env_var
    if not org or not variable:
        raise NotConfigured(_OFF)
    access = OktaAccess(
        base_url=_base_url(options),
        api_key_variable=variable,
        saml_role_regex=options.okta_saml_role_regex,
    )
    return Listed([Tenant(provider="okta", id=org, access=access.as_json())])


def _base_url(options: OktaOptions) -> str:
    return options.okta_base_url or f"https://{options.okta_org_id}.okta.com"


def check_tenant(options: OktaOptions, tenant: Tenant) -> str:
    """The token goes to the address of this worker's own settings alone."""
    access = OktaAccess.from_json(tenant.access)
    if access.api_key_variable != options.okta_api_key_env_var:
        return f"the token is in the variable {access.api_key_variable}"
    return f"{tenant.id} is served at {access.base_url}" if access.base_url != _base_url(options) else ""


async def regions(api: Api, options: OktaOptions) -> Listed[str]:
    return Listed()


def missing(options: OktaOptions) -> Iterable[str]:
    """Raises NotConfigured if neither organization nor token is named."""
    if not options.okta_org_id:
        raise NotConfigured(_OFF)
    yield from unset_variables(options, "okta_api_key_env_var")
