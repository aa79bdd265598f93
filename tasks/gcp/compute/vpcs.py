"""Networks and their subnets."""

from __future__ import annotations

from typing import Final

from tasks.gcp.compute.aggregated import Aggregated
from tasks.gcp.kinds import PROJECT
from tasks.gcp.resource_names import last_part, partial_uri_at
from tasks.provider import Node, Per, ResourceType, Source, at, incoming, key, listing, prop, scope_tenant


class GCPVpc(Node, label="GCPVpc", tenant="GCPProject"):
    id: str = key(partial_uri_at("selfLink"), "projects/<project>/global/networks/<name>")
    partial_uri: str = prop(partial_uri_at("selfLink"))
    self_link: str = prop("selfLink")
    name: str = prop("name", index=True)
    project_id: str = prop(scope_tenant)
    auto_create_subnetworks: bool | None = prop("autoCreateSubnetworks", "None: a legacy network, without subnets.")
    routing_config_routing_mode: str | None = prop("routingConfig.routingMode")
    description: str | None = prop("description")
    firewall_policy: str | None = prop("firewallPolicy", "A policy whose rules apply as well; they aren't read.")


VPCS: Final = ResourceType(
    "gcp.compute.vpcs",
    Per.TENANT,
    fetch=listing("compute:networks.list", maxResults=500),
    yields=(GCPVpc,),
    aliases=("compute",),
    tenant_kind=PROJECT,
)


def flow_logs_enabled(subnet: Source) -> bool:
    """By `logConfig`, otherwise by the older field; flow logs are off if neither is there."""
    enabled = at("logConfig.enable", subnet.item)
    return bool(subnet.item.get("enableFlowLogs") if enabled is None else enabled)


class GCPSubnet(Node, label="GCPSubnet"):
    id: str = key(partial_uri_at("selfLink"), "projects/<project>/regions/<region>/subnetworks/<name>")
    partial_uri: str = prop(partial_uri_at("selfLink"))
    self_link: str = prop("selfLink")
    project_id: str = prop(scope_tenant)
    name: str = prop("name", index=True)
    region: str | None = prop(last_part("region"))
    gateway_address: str | None = prop("gatewayAddress")
    ip_cidr_range: str | None = prop("ipCidrRange")
    private_ip_google_access: bool | None = prop("privateIpGoogleAccess")
    vpc_partial_uri: str = prop(partial_uri_at("network"))
    purpose: str | None = prop("purpose", "PRIVATE: for instances; others, of proxies for example, have no flow logs.")
    flow_logs_enabled: bool = prop(flow_logs_enabled)
    flow_logs_aggregation_interval: str | None = prop("logConfig.aggregationInterval")
    flow_logs_sampling: float | None = prop("logConfig.flowSampling", "The share of flows that is logged.")
    flow_logs_metadata: str | None = prop("logConfig.metadata")
    flow_logs_filter_expr: str | None = prop("logConfig.filterExpr", "Which flows are logged. None: all.")
    relationships = (incoming("RESOURCE", "GCPVpc", partial_uri_at("network")),)


SUBNETS: Final = ResourceType(
    "gcp.compute.subnets",
    Per.TENANT,
    fetch=Aggregated("compute:subnetworks.aggregatedList", "subnetworks"),
    yields=(GCPSubnet,),
    aliases=("compute",),
    tenant_kind=PROJECT,
)
