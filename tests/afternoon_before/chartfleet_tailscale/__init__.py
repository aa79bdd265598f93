"""Tailscale: devices of a network, and whose they are."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from tasks import base_url, http, variables
from tasks.failures import NotConfigured
from tasks.http import HttpApi, HttpService
from tasks.rate_budget import Budget, Limit
from tasks.resource import Listed, Option, Options, Provider, Tenant

SERVICE: Final = HttpService(limit=lambda action: ("all", Limit(initial=5, highest=10)), in_flight=4)
_OFF: Final = "tailscale_network and tailscale_api_key_env_var turn it on"


async def tenants(options: Options, budget: Budget) -> Listed[Tenant]:
    """The network that the options name. How it is reached is said by names: this is kept in the ledger."""
    if not options.get("tailscale_network"):
        raise NotConfigured(_OFF)
    access = {"variable": options["tailscale_api_key_env_var"], "base_url": options["tailscale_base_url"]}
    return Listed([Tenant(provider="tailscale", id=options["tailscale_network"], access=access)])


async def regions(api: Any, options: Options) -> Listed[str]:
    return Listed()


async def connect(tenant: Tenant, region: str, budget: Budget) -> HttpApi:
    def headers() -> Mapping[str, str]:
        return {"Authorization": f"Bearer {variables.held_by(tenant.access['variable'])}"}

    url = tenant.access["base_url"]
    return HttpApi(tenant=tenant, terms=SERVICE, budget=budget, base_url=url, headers=headers)


def missing(options: Options) -> Iterable[str]:
    """What this machine lacks, before a run: nothing is found out half way."""
    if not options.get("tailscale_network"):
        raise NotConfigured(_OFF)
    if not options.get("tailscale_api_key_env_var"):
        yield "tailscale_network without tailscale_api_key_env_var: give the NAME of the variable with its key"
    yield from variables.unset(options, "tailscale_api_key_env_var")


PROVIDER: Final = Provider(
    name="tailscale",
    tenants=tenants,
    regions=regions,
    connect=connect,
    missing=missing,
    close=http.close,
    calls=http.described,
    options=(
        Option(name="tailscale_network", meaning="the network, as example.com"),
        Option(
            name="tailscale_api_key_env_var",
            meaning="NAME of the variable that holds the API key",
            names_variable=True,
        ),
        Option(
            name="tailscale_base_url",
            meaning="where the API is served",
            default="https://api.tailscale.com",
            check=base_url.check,
        ),
    ),
)
