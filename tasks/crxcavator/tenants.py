"""The tenant: one per server. The API key decides whose extensions the server lists."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tasks.clients.base_url import host_of
from tasks.crxcavator.access import CrxcavatorAccess
from tasks.crxcavator.options import CrxcavatorOptions
from tasks.provider import Api, Listed, NotConfigured, RateLimiter, Tenant, unset_variables

_OFF: Final = "crxcavator_api_key_env_var enables it: the NAME of the variable that holds the key of the API"


async def tenants(options: CrxcavatorOptions, rate_limiter: RateLimiter) -> Listed[Tenant]:
    """Raises NotConfigured if no key is named."""
    if not options.crxcavator_api_key_env_var:
        raise NotConfigured(_OFF)
    url = options.crxcavator_api_base_uri
    access = CrxcavatorAccess(base_url=url, api_key_variable=options.crxcavator_api_key_env_var)
    return Listed([Tenant(provider="crxcavator", id=host_of(url), access=access.as_json())])


def check_tenant(options: CrxcavatorOptions, tenant: Tenant) -> str:
    """The key goes to the address of this worker's own settings alone."""
    access = CrxcavatorAccess.from_json(tenant.access)
    if access.api_key_variable != options.crxcavator_api_key_env_var:
        return f"the key is in the variable {access.api_key_variable}"
    return f"the API is served at {access.base_url}" if access.base_url != options.crxcavator_api_base_uri else ""


async def regions(api: Api, options: CrxcavatorOptions) -> Listed[str]:
    return Listed()


def missing(options: CrxcavatorOptions) -> Iterable[str]:
    if not options.crxcavator_api_key_env_var:
        raise NotConfigured(_OFF)
    yield from unset_variables(options, "crxcavator_api_key_env_var")
