"""Forwarding rules: the addresses and ports of load balancers, and their targets."""

from __future__ import annotations

from typing import Final

from tasks.gcp.compute.aggregated import Aggregated
from tasks.gcp.kinds import PROJECT
from tasks.gcp.resource_names import last_part, partial_uri_at
from tasks.provider import Node, Per, ResourceType, incoming, key, prop, scope_tenant


class GCPForwardingRule(Node, label="GCPForwardingRule", tenant="GCPProject"):
    id: str = key(partial_uri_at("selfLink"), "projects/<project>/regions/<region>/forwardingRules/<name>")
    partial_uri: str = prop(partial_uri_at("selfLink"))
    self_link: str = prop("selfLink")
    name: str = prop("name", index=True)
    project_id: str = prop(scope_tenant)
    region: str | None = prop(last_part("region"), "None: global.")
    ip_address: str | None = prop("IPAddress", index=True)
    ip_protocol: str | None = prop("IPProtocol")
    load_balancing_scheme: str | None = prop(
        "loadBalancingScheme", "EXTERNAL..., or INTERNAL...: not reachable from the internet."
    )
    network: str | None = prop("network")
    subnetwork: str | None = prop("subnetwork")
    port_range: str | None = prop("portRange")
    ports: list[str] | None = prop("ports")
    target: str | None = prop("target")
    backend_service: str | None = prop("backendService", "Set for passthrough load balancers.")
    relationships = (
        incoming("RESOURCE", "GCPVpc", partial_uri_at("network")),
        incoming("RESOURCE", "GCPSubnet", partial_uri_at("subnetwork")),
    )


FORWARDING_RULES: Final = ResourceType(
    "gcp.compute.forwarding_rules",
    Per.TENANT,
    fetch=Aggregated("compute:forwardingRules.aggregatedList", "forwardingRules"),
    yields=(GCPForwardingRule,),
    aliases=("compute",),
    tenant_kind=PROJECT,
)
