"""The one tenant: whose extensions a server lists, its key says. Two servers are two tenants."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from tasks.clients.base_url import host_of
from tasks.clients.variables import unset_variables
from tasks.failures import NotConfigured
from tasks.resource import Listed, Options, Tenant

_OFF: Final = "crxcavator_api_key_env_var enables it: the NAME of the variable that holds the key of the API"


async def tenants(options: Options, rate_limiter: Any) -> Listed[Tenant]:
    """Raises NotConfigured where no key is named."""
    if not options.get("crxcavator_api_key_env_var"):
        raise NotConfigured(_OFF)
    url = options["crxcavator_api_base_uri"]
    access = {"base_url": url, "api_key_variable": options["crxcavator_api_key_env_var"]}
    return Listed([Tenant(provider="crxcavator", id=host_of(url), access=access)])


async def regions(api: Any, options: Options) -> Listed[str]:
    return Listed()


def missing(options: Options) -> Iterable[str]:
    if not options.get("crxcavator_api_key_env_var"):
        raise NotConfigured(_OFF)
    yield from unset_variables(options, "crxcavator_api_key_env_var")
