"""Global Accelerator: static addresses that lead to load balancers, instances and subnets, public or not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from tasks.aws.vocabulary.node import AWSNode
from tasks.provider import Per, ResourceType, Source, id_link, incoming, key, link, listing, parent, prop

Ports = tuple[int, int]  # first and last

_OVERRIDE: Final = {"ListenerPort", "EndpointPort"}
_GONE: Final = ("AcceleratorNotFoundException", "ListenerNotFoundException")


class Accelerator(AWSNode):
    """What standard and custom routing accelerators have in common."""

    id: str = key("AcceleratorArn")
    arn: str = prop("AcceleratorArn", index=True)
    name: str | None = prop("Name")
    enabled: bool | None = prop("Enabled", "Whether it accepts traffic.")
    status: str | None = prop("Status")
    dns_name: str | None = prop("DnsName", index=True)
    ip_address_type: str | None = prop("IpAddressType", "IPV4 or DUAL_STACK.")
    ip_addresses: list[str] | None = prop("IpSets[].IpAddresses[]", "Its static addresses: they lead to its endpoints.")
    created_time: str | None = prop("CreatedTime")


class GlobalAccelerator(Accelerator, label="GlobalAccelerator", tenant="AWSAccount", arn=None):
    dual_stack_dns_name: str | None = prop("DualStackDnsName", "None unless ip_address_type is DUAL_STACK.")


def endpoints(accelerator: Source) -> Iterator[Mapping[str, Any]]:
    """Each endpoint of each group of each listener, with its group, listener and ports."""
    for listener in accelerator.item["ListListeners"]["Listeners"]:
        for group in listener["ListEndpointGroups"]["EndpointGroups"]:
            for endpoint in group.get("EndpointDescriptions", ()):
                ports = endpoint_ports(listener.get("PortRanges", ()), group.get("PortOverrides", ()))
                yield {**endpoint, "Listener": listener, "Group": group, "Ports": list(ports)}


def endpoint_ports(ranges: Sequence[Mapping[str, int]], overrides: Sequence[Mapping[str, int]]) -> Iterator[Ports]:
    """The ports that traffic reaches on an endpoint: the listener's, except those that the group maps to others.

    A range without a bound is as wide as possible: one port too many is safer than a missed exposure.
    """
    mapped = {
        override["ListenerPort"]: override["EndpointPort"] for override in overrides if override.keys() >= _OVERRIDE
    }
    for ports in ranges:
        first, last = ports.get("FromPort", 1), ports.get("ToPort", 65535)
        for port in sorted(port for port in mapped if first <= port <= last):
            if first < port:
                yield first, port - 1
            yield mapped[port], mapped[port]
            first = port + 1
        if first <= last:
            yield first, last


def endpoint_key(endpoint: Source) -> str:
    return f"{endpoint.item['Group']['EndpointGroupArn']}/{endpoint.item['EndpointId']}"


def from_ports(endpoint: Source) -> list[int]:
    return [first for first, _ in endpoint.item["Ports"]]


def to_ports(endpoint: Source) -> list[int]:
    return [last for _, last in endpoint.item["Ports"]]


class GlobalAcceleratorEndpoint(AWSNode, label="GlobalAcceleratorEndpoint"):
    id: str = key(endpoint_key, "<endpoint group>/<endpoint>")
    endpoint_id: str = prop(
        "EndpointId", "ARN of a load balancer, instance id, or allocation id of an Elastic IP.", index=True
    )
    endpoint_group_arn: str = prop("Group.EndpointGroupArn")
    listener_arn: str = prop("Listener.ListenerArn")
    protocol: str | None = prop("Listener.Protocol", "TCP or UDP.")
    from_ports: list[int] = prop(from_ports, "The first port of each range on which the endpoint receives traffic.")
    to_ports: list[int] = prop(to_ports, "The last port of each range on which the endpoint receives traffic.")
    weight: int | None = prop("Weight")
    health_state: str | None = prop("HealthState")
    client_ip_preservation_enabled: bool | None = prop(
        "ClientIPPreservationEnabled", "Whether the endpoint sees the client's address instead of the accelerator's."
    )
    region: str | None = prop("Group.EndpointGroupRegion")
    relationships = (
        incoming("ACCELERATOR_ENDPOINT", "GlobalAccelerator", parent("AcceleratorArn")),
        link("LEADS_TO", "LoadBalancerV2", on={"endpoint_id": "arn"}),
        link("LEADS_TO", "EC2Instance", on={"endpoint_id": "id"}),
        link("LEADS_TO", "ElasticIPAddress", on={"endpoint_id": "allocation_id"}),
    )


ACCELERATORS: Final = ResourceType(
    "aws.globalaccelerator.accelerators",
    Per.TENANT,
    fetch=listing("globalaccelerator:ListAccelerators", not_found_codes=_GONE)
    .detail("globalaccelerator:ListListeners", AcceleratorArn="AcceleratorArn")
    .detail("globalaccelerator:ListEndpointGroups", each="ListListeners.Listeners[]", ListenerArn="ListenerArn"),
    yields=(GlobalAccelerator, GlobalAcceleratorEndpoint.each(endpoints)),
)


def subnets(accelerator: Source) -> list[str]:
    return sorted(
        {
            endpoint["EndpointId"]
            for listener in accelerator.item["ListCustomRoutingListeners"]["Listeners"]
            for group in listener["ListCustomRoutingEndpointGroups"]["EndpointGroups"]
            for endpoint in group.get("EndpointDescriptions", ())
            if "EndpointId" in endpoint
        }
    )


class CustomRoutingAccelerator(Accelerator, label="CustomRoutingAccelerator", tenant="AWSAccount", arn=None):
    """Maps its ports to addresses and ports in subnets. Which of these it allows is not read."""

    relationships = (id_link("LEADS_TO", "EC2Subnet", subnets),)


CUSTOM_ROUTING_ACCELERATORS: Final = ResourceType(
    "aws.globalaccelerator.custom_routing_accelerators",
    Per.TENANT,
    fetch=listing("globalaccelerator:ListCustomRoutingAccelerators", not_found_codes=_GONE)
    .detail("globalaccelerator:ListCustomRoutingListeners", AcceleratorArn="AcceleratorArn")
    .detail(
        "globalaccelerator:ListCustomRoutingEndpointGroups",
        each="ListCustomRoutingListeners.Listeners[]",
        ListenerArn="ListenerArn",
    ),
    yields=(CustomRoutingAccelerator,),
)
