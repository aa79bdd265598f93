"""Network zones: addresses that policies refer to, or that are blocked."""

from __future__ import annotations

from typing import Final

from tasks.okta.times import okta_time
from tasks.provider import Node, Per, ResourceType, key, listing, prop


class OktaNetworkZone(Node, label="OktaNetworkZone", tenant="OktaOrganization"):
    id: str = key("id", "As conditions of policy rules name it.")
    name: str | None = prop("name", index=True)
    type: str | None = prop("type", "IP: certain addresses. DYNAMIC, DYNAMIC_V2: countries, networks, proxies.")
    status: str | None = prop("status", "ACTIVE or INACTIVE.")
    usage: str | None = prop("usage", "POLICY, or BLOCKLIST: nobody gets to a sign-in page from there.")
    system: bool | None = prop("system", "Whether Okta created it.")
    gateways: list[str] | None = prop("gateways[].value", "Addresses and ranges. None: not of the type IP.")
    proxies: list[str] | None = prop("proxies[].value", "Addresses of trusted proxies.")
    created: str | None = prop(okta_time("created"))
    okta_last_updated: str | None = prop(okta_time("lastUpdated"))


NETWORK_ZONES: Final = ResourceType(
    "okta.network_zones", Per.TENANT, fetch=listing("GET /api/v1/zones", limit=200), yields=(OktaNetworkZone,)
)
