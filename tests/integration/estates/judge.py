"""Decides by itself what a network exposes, packet by packet, without the graph or the analysis job.

It decides twice: once taking what could not be read for closed, and once for open. What is open both times is exposed;
what is open only the second time is not known.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from tests.integration.estates.networks import AT_BOUNDS, OPEN, PORTS, PUBLIC, Item, Network, Rule


@dataclass
class Judge:
    network: Network
    unread_is_open: bool

    def group_allows(self, group: str, family: str, protocol: str, port: int | None, *, hidden: bool = False) -> bool:
        """Whether anybody gets in. `hidden`: the address of the client is replaced on the way."""
        rules = self.network.groups[group]
        if rules is None:
            return self.unread_is_open
        return any(rule.allows(protocol, port) and self._anyone(rule, family, hidden) for rule in rules)

    def _anyone(self, rule: Rule, family: str, hidden: bool) -> bool:
        if any(cidr in OPEN[family] for cidr in rule.cidrs):
            return True
        if hidden and self.unread_is_open and any(cidr in PUBLIC for cidr in rule.cidrs):
            return True
        for name in rule.lists:
            prefix_list = self.network.lists.get(name)
            if prefix_list is None or prefix_list.cidrs is None:
                if self.unread_is_open and (prefix_list is None or prefix_list.family == family):
                    return True
            elif prefix_list.family == family and any(cidr in OPEN[family] for cidr in prefix_list.cidrs):
                return True
        return False

    def allows(self, groups: list[str], family: str, protocol: str, port: int | None, *, hidden: bool = False) -> bool:
        return any(self.group_allows(group, family, protocol, port, hidden=hidden) for group in groups)

    def direct(self, instance: Item) -> bool:
        for interface in instance["NetworkInterfaces"]:
            groups = [group["GroupId"] for group in interface["Groups"]]
            for family in ("v4", "v6"):
                if has_public(interface, family) and any(
                    self.allows(groups, family, protocol, port)
                    for protocol, port in (*product(("tcp", "udp"), (*PORTS, 1, 60000)), ("gre", None))
                ):
                    return True
        return False

    def classic_open(self, balancer: Item) -> bool:
        if balancer["Scheme"] == "internal":
            return False
        ports = [listener["Listener"]["LoadBalancerPort"] for listener in balancer["ListenerDescriptions"]]
        return any(self.allows(balancer["SecurityGroups"], "v4", "tcp", port) for port in ports)

    def balancer_open(self, balancer: Item) -> bool:
        families = {"ipv4": ("v4",), "dualstack": ("v4", "v6"), "dualstack-without-public-ipv4": ("v6",)}
        if balancer["Scheme"] == "internet-facing" and any(
            self._listens(balancer, listener, family)
            for listener in balancer["DescribeListeners"]["Listeners"]
            for family in families[balancer["IpAddressType"]]
        ):
            return True
        if any(origin["OriginEndpointArn"] == balancer["LoadBalancerArn"] for origin in self.network.origins):
            return True
        return any(self._accelerated(balancer, *way) for way in self._endpoints(balancer["LoadBalancerArn"]))

    def _listens(self, balancer: Item, listener: Item, family: str, *, hidden: bool = False) -> bool:
        groups = balancer.get("SecurityGroups", [])
        transports = {"UDP": ("udp",), "TCP_UDP": ("tcp", "udp")}.get(listener["Protocol"], ("tcp",))
        return not groups or any(
            self.allows(groups, family, protocol, listener["Port"], hidden=hidden) for protocol in transports
        )

    def _endpoints(self, id_: str) -> Iterator[tuple[Item, Item, Item]]:
        for accelerator in self.network.accelerators:
            for listener in accelerator["ListListeners"]["Listeners"] if accelerator["Enabled"] else ():
                for group in listener["ListEndpointGroups"]["EndpointGroups"]:
                    for endpoint in group["EndpointDescriptions"]:
                        if endpoint["EndpointId"] == id_:
                            yield accelerator, listener, endpoint

    def _accelerated(self, balancer: Item, accelerator: Item, entry: Item, endpoint: Item) -> bool:
        dual = accelerator["IpAddressType"] == "DUAL_STACK" and balancer["IpAddressType"].startswith("dualstack")
        for listener, family in product(balancer["DescribeListeners"]["Listeners"], ("v4", "v6") if dual else ("v4",)):
            of_protocol = {"TCP": ("HTTPS", "TCP", "TCP_UDP"), "UDP": ("UDP", "TCP_UDP")}[entry["Protocol"]]
            asked = any(ports["FromPort"] <= listener["Port"] <= ports["ToPort"] for ports in entry["PortRanges"])
            hidden = not endpoint["ClientIPPreservationEnabled"]
            if (
                listener["Protocol"] in of_protocol
                and asked
                and self._listens(balancer, listener, family, hidden=hidden)
            ):
                return True
        return False

    def instance_accelerated(self, instance: Item) -> bool:
        groups = [group["GroupId"] for group in instance["SecurityGroups"]]
        for accelerator, entry, _ in self._endpoints(instance["InstanceId"]):
            families = ["v4"]
            first = next(card for card in instance["NetworkInterfaces"] if card["Attachment"]["DeviceIndex"] == 0)
            if accelerator["IpAddressType"] == "DUAL_STACK" and first["Ipv6Addresses"]:
                families.append("v6")
            for family, port in product(families, AT_BOUNDS):
                if any(ports["FromPort"] <= port <= ports["ToPort"] for ports in entry["PortRanges"]) and self.allows(
                    groups, family, entry["Protocol"].lower(), port
                ):
                    return True
        return False

    def exposed(self) -> set[str]:
        network = self.network
        found = {id_ for id_, item in network.instances.items() if self.direct(item) or self.instance_accelerated(item)}
        arns = {origin["OriginEndpointArn"].rpartition("/")[2] for origin in network.origins}
        found |= arns & network.instances.keys()
        for balancer in filter(self.classic_open, network.classic):
            found |= {instance["InstanceId"] for instance in balancer["Instances"]}
        for balancer in filter(self.balancer_open, network.balancers):
            found |= set(targets(balancer))
        return {id_ for id_ in found if network.instances[id_]["State"]["Name"] != "terminated"}


def has_public(interface: Item, family: str) -> bool:
    if family == "v4":
        return any("Association" in address for address in interface["PrivateIpAddresses"])
    return any(address["Ipv6Address"].startswith("2") for address in interface["Ipv6Addresses"])


def targets(balancer: Item) -> Iterator[str]:
    for group in balancer["DescribeTargetGroups"].get(balancer["LoadBalancerArn"], ()):
        for target in group["DescribeTargetHealth"]["TargetHealthDescriptions"]:
            yield target["Target"]["Id"]
