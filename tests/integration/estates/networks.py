"""Random small networks as AWS would answer for them, and a judge of their own: who gets in, packet by packet.

The judge knows nothing of the graph or of the job. It asks twice: once taking what nobody could read for closed, and
once for open. What is open both times is exposed, what is open only then isn't known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from random import Random
from typing import Any, Final

OPEN: Final = {"v4": ("0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1"), "v6": ("::/0", "2000::/3")}
CLOSED: Final = {
    "v4": ("10.0.0.0/8", "203.0.113.7/32", "224.0.0.0/4", "240.0.0.0/4", "10.0.0.0/7"),
    "v6": ("fc00::/7", "2001:db8::/32", "fe80::/10", "ff00::/8"),
}
PUBLIC: Final = ("10.0.0.0/7",)  # of those that are closed: some of it is somebody's on the internet
PORTS: Final = (22, 443, 8080)
AT_BOUNDS: Final = tuple({0, 65535, *(port + by for port in PORTS for by in (-1, 0, 1))})  # of every range there is
PROTOCOLS: Final = {"tcp": "tcp", "6": "tcp", "udp": "udp", "17": "udp", "icmp": "icmp", "58": "icmp", "47": "gre"}
ALL: Final = "-1"
UNREAD: Final = "unread"  # a prefix list nobody could read

Item = dict[str, Any]


@dataclass
class Rule:
    protocol: str
    ports: tuple[int, int] | None
    cidrs: list[str]
    lists: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)

    def lets(self, protocol: str, port: int | None) -> bool:
        if self.protocol == ALL:
            return True
        of_protocol = PROTOCOLS[self.protocol] == protocol
        return of_protocol and (port is None or self.ports is None or self.ports[0] <= port <= self.ports[1])


@dataclass
class PrefixList:
    id: str
    family: str
    cidrs: list[str] | None


@dataclass
class Network:
    """Everything by id. A group whose rules are None could not be read."""

    groups: dict[str, list[Rule] | None] = field(default_factory=dict)
    lists: dict[str, PrefixList] = field(default_factory=dict)
    instances: dict[str, Item] = field(default_factory=dict)
    classic: list[Item] = field(default_factory=list)
    balancers: list[Item] = field(default_factory=list)
    accelerators: list[Item] = field(default_factory=list)
    origins: list[Item] = field(default_factory=list)


# --- who gets in


@dataclass
class Judge:
    network: Network
    hopeful: bool  # what could not be read is open

    def group_lets(self, group: str, family: str, protocol: str, port: int | None, *, hidden: bool = False) -> bool:
        """Whether anyone gets in. `hidden`: it isn't the client's address that comes in."""
        rules = self.network.groups[group]
        if rules is None:
            return self.hopeful
        return any(rule.lets(protocol, port) and self._anyone(rule, family, hidden) for rule in rules)

    def _anyone(self, rule: Rule, family: str, hidden: bool) -> bool:
        if any(cidr in OPEN[family] for cidr in rule.cidrs):
            return True
        if hidden and self.hopeful and any(cidr in PUBLIC for cidr in rule.cidrs):
            return True
        for name in rule.lists:
            found = self.network.lists.get(name)
            if found is None or found.cidrs is None:
                if self.hopeful and (found is None or found.family == family):
                    return True
            elif found.family == family and any(cidr in OPEN[family] for cidr in found.cidrs):
                return True
        return False

    def lets(self, groups: list[str], family: str, protocol: str, port: int | None, *, hidden: bool = False) -> bool:
        return any(self.group_lets(group, family, protocol, port, hidden=hidden) for group in groups)

    def direct(self, instance: Item) -> bool:
        for interface in instance["NetworkInterfaces"]:
            groups = [group["GroupId"] for group in interface["Groups"]]
            for family in ("v4", "v6"):
                if has_public(interface, family) and any(
                    self.lets(groups, family, protocol, port)
                    for protocol, port in (*product(("tcp", "udp"), (*PORTS, 1, 60000)), ("gre", None))
                ):
                    return True
        return False

    def classic_open(self, balancer: Item) -> bool:
        if balancer["Scheme"] == "internal":
            return False
        ports = [one["Listener"]["LoadBalancerPort"] for one in balancer["ListenerDescriptions"]]
        return any(self.lets(balancer["SecurityGroups"], "v4", "tcp", port) for port in ports)

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
        return any(self._accelerated(balancer, *found) for found in self._endpoints(balancer["LoadBalancerArn"]))

    def _listens(self, balancer: Item, listener: Item, family: str, *, hidden: bool = False) -> bool:
        groups = balancer.get("SecurityGroups", [])
        transports = {"UDP": ("udp",), "TCP_UDP": ("tcp", "udp")}.get(listener["Protocol"], ("tcp",))
        return not groups or any(
            self.lets(groups, family, protocol, listener["Port"], hidden=hidden) for protocol in transports
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
            asked = any(one["FromPort"] <= listener["Port"] <= one["ToPort"] for one in entry["PortRanges"])
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
            first = next(one for one in instance["NetworkInterfaces"] if one["Attachment"]["DeviceIndex"] == 0)
            if accelerator["IpAddressType"] == "DUAL_STACK" and first["Ipv6Addresses"]:
                families.append("v6")
            for family, port in product(families, AT_BOUNDS):
                if any(one["FromPort"] <= port <= one["ToPort"] for one in entry["PortRanges"]) and self.lets(
                    groups, family, entry["Protocol"].lower(), port
                ):
                    return True
        return False

    def exposed(self) -> set[str]:
        network = self.network
        found = {id_ for id_, one in network.instances.items() if self.direct(one) or self.instance_accelerated(one)}
        arns = {origin["OriginEndpointArn"].rpartition("/")[2] for origin in network.origins}
        found |= arns & network.instances.keys()
        for balancer in filter(self.classic_open, network.classic):
            found |= {one["InstanceId"] for one in balancer["Instances"]}
        for balancer in filter(self.balancer_open, network.balancers):
            found |= set(targets(balancer))
        return {id_ for id_ in found if network.instances[id_]["State"]["Name"] != "terminated"}


def has_public(interface: Item, family: str) -> bool:
    if family == "v4":
        return any("Association" in address for address in interface["PrivateIpAddresses"])
    return any(one["Ipv6Address"].startswith("2") for one in interface["Ipv6Addresses"])


def targets(balancer: Item) -> Iterator[str]:
    for group in balancer["DescribeTargetGroups"].get(balancer["LoadBalancerArn"], ()):
        for one in group["DescribeTargetHealth"]["TargetHealthDescriptions"]:
            yield one["Target"]["Id"]


# --- networks at random


class Maker:
    """Makes one network whose ids all carry its number."""

    def __init__(self, number: int, seed: int) -> None:
        self.random = Random(f"{seed}/{number}")
        self.number = number
        self.network = Network()

    def network_of_its_own(self) -> Network:
        for name in range(self.random.randint(1, 2)):
            self._list(f"pl-{self.number}-{name}")
        for name in range(self.random.randint(1, 3)):
            self.network.groups[f"sg-{self.number}-{name}"] = self._rules()
        for name in range(self.random.randint(1, 3)):
            self._instance(f"i-{self.number}-{name}")
        self._balancers()
        self._ways_in()
        return self.network

    def _list(self, id_: str) -> None:
        family = self.random.choice(("v4", "v6"))
        if self.random.random() < 0.2:
            return  # named by rules, and not there: of another account, or denied
        cidrs = None if self.random.random() < 0.3 else [self._cidr(family, 0.4)]
        self.network.lists[id_] = PrefixList(id_, family, cidrs)

    def _cidr(self, family: str, chance: float) -> str:
        return self.random.choice((OPEN if self.random.random() < chance else CLOSED)[family])

    def _rules(self) -> list[Rule] | None:
        if self.random.random() < 0.1:
            return None
        rules = {}
        for _ in range(self.random.randint(0, 3)):
            protocol = self.random.choice((ALL, "tcp", "tcp", *PROTOCOLS))
            first, last = sorted((self.random.choice((*PORTS, 0)), self.random.choice((*PORTS, 65535))))
            ports = (first, last) if PROTOCOLS.get(protocol) in ("tcp", "udp") else None
            rule = Rule(protocol, ports, [])
            if self.random.random() < 0.7:
                rule.cidrs = [self._cidr(self.random.choice(("v4", "v6")), 0.35)]
            if self.random.random() < 0.3:
                rule.lists = [f"pl-{self.number}-{self.random.randint(0, 1)}"]
            if self.random.random() < 0.2:
                rule.groups = [f"sg-{self.number}-0"]
            rules[protocol, ports] = rule
        return list(rules.values())

    def _some_groups(self) -> list[str]:
        names = sorted(self.network.groups)
        return sorted(self.random.sample(names, self.random.randint(1, min(2, len(names)))))

    def _instance(self, id_: str) -> None:
        interfaces = [self._interface(f"eni-{id_}-{index}", index) for index in range(self.random.randint(1, 2))]
        self.network.instances[id_] = {
            "InstanceId": id_,
            "State": {"Name": self.random.choice(("running", "running", "stopped", "terminated"))},
            "NetworkInterfaces": interfaces,
            "SecurityGroups": interfaces[0]["Groups"],
            "PublicDnsName": "",
        }

    def _interface(self, id_: str, index: int) -> Item:
        address: Item = {"PrivateIpAddress": "10.0.0.5", "Primary": True}
        if self.random.random() < 0.35:
            address["Association"] = {"PublicIp": "198.51.100.5"}
        ipv6 = self.random.choice(([], [], ["2600:1f18::5"], ["fd00::5"], ["fd00::5", "2600:1f18::5"]))
        return {
            "NetworkInterfaceId": id_,
            "PrivateIpAddresses": [{"PrivateIpAddress": "10.0.0.4", "Primary": False}, address],
            "Ipv6Addresses": [{"Ipv6Address": one} for one in ipv6],
            "Groups": [{"GroupId": group} for group in self._some_groups()],
            "Attachment": {"DeviceIndex": index},
        }

    def _some_instances(self) -> list[str]:
        names = sorted(self.network.instances)
        return sorted(self.random.sample(names, self.random.randint(0, len(names))))

    def _balancers(self) -> None:
        if self.random.random() < 0.4:
            name = f"elb-{self.number}"
            self.network.classic.append(
                {
                    "LoadBalancerName": name,
                    "DNSName": f"{name}.eu-west-1.elb.amazonaws.com",
                    "Scheme": self.random.choice(("internet-facing", "internet-facing", "internal")),
                    "SecurityGroups": self._some_groups(),
                    "Instances": [{"InstanceId": one} for one in self._some_instances()],
                    "ListenerDescriptions": [
                        {
                            "Listener": {
                                "LoadBalancerPort": self.random.choice(PORTS),
                                "Protocol": "TCP",
                                "InstancePort": 1,
                            }
                        }
                    ],
                }
            )
        for which in range(self.random.randint(0, 2)):
            self.network.balancers.append(self._balancer(f"lb-{self.number}-{which}"))

    def _balancer(self, name: str) -> Item:
        kind = self.random.choice(("application", "network"))
        arn = f"arn:aws:elasticloadbalancing:eu-west-1:1111:loadbalancer/{kind[:3]}/{name}/1"
        protocols = ("HTTPS",) if kind == "application" else ("TCP", "UDP", "TCP_UDP")
        families = ["ipv4", "dualstack", *(["dualstack-without-public-ipv4"] if kind == "application" else [])]
        grouped = kind == "application" or self.random.random() < 0.7
        health = [{"Target": {"Id": one}} for one in self._some_instances()]
        group = {
            "TargetGroupArn": f"arn:aws:elasticloadbalancing:eu-west-1:1111:targetgroup/{name}/1",
            "TargetGroupName": name,
            "TargetType": "instance",
            "DescribeTargetHealth": {"TargetHealthDescriptions": health},
        }
        return {
            "LoadBalancerArn": arn,
            "LoadBalancerName": name,
            "DNSName": f"{name}.elb.eu-west-1.amazonaws.com",
            "Type": kind,
            "Scheme": self.random.choice(("internet-facing", "internal")),
            "IpAddressType": self.random.choice(families),
            "AvailabilityZones": [],
            **({"SecurityGroups": self._some_groups()} if grouped else {}),
            "DescribeListeners": {
                "Listeners": [
                    {"ListenerArn": f"{arn}/{port}", "Port": port, "Protocol": self.random.choice(protocols)}
                    for port in self.random.sample(PORTS, self.random.randint(0, 2))
                ]
            },
            "DescribeTargetGroups": {arn: [group]},
        }

    def _ways_in(self) -> None:
        ends = [
            *(
                balancer["LoadBalancerArn"]
                for balancer in self.network.balancers
                if balancer["DescribeListeners"]["Listeners"]
            ),
            *self.network.instances,
        ]
        if self.random.random() < 0.4:
            self.network.accelerators.append(self._accelerator(self.random.choice(ends)))
        if self.random.random() < 0.15:
            end = self.random.choice(ends)
            arn = end if end.startswith("arn:") else f"arn:aws:ec2:eu-west-1:1111:instance/{end}"
            origin = f"arn:aws:cloudfront::1111:vpcorigin/vo_{self.number}"
            self.network.origins.append({"Arn": origin, "Id": f"vo_{self.number}", "OriginEndpointArn": arn})

    def _accelerator(self, end: str) -> Item:
        arn = f"arn:aws:globalaccelerator::1111:accelerator/{self.number}"
        first, last = sorted((self.random.choice(PORTS), self.random.choice(PORTS)))
        kept = end.startswith("i-") or self.random.random() < 0.7
        group = {
            "EndpointGroupArn": f"{arn}/listener/1/endpoint-group/1",
            "EndpointDescriptions": [{"EndpointId": end, "ClientIPPreservationEnabled": kept}],
        }
        return {
            "AcceleratorArn": arn,
            "Enabled": self.random.random() < 0.8,
            "IpAddressType": self.random.choice(("IPV4", "DUAL_STACK")),
            "IpSets": [],
            "ListListeners": {
                "Listeners": [
                    {
                        "ListenerArn": f"{arn}/listener/1",
                        "Protocol": self.random.choice(("TCP", "UDP")),
                        "PortRanges": [{"FromPort": first, "ToPort": last}],
                        "ListEndpointGroups": {"EndpointGroups": [group]},
                    }
                ]
            },
        }


# --- as AWS answers


def responses(networks: list[Network]) -> Mapping[str, list[Item]]:
    """The items of each type."""
    return {
        "aws.ec2.security_groups": [
            _group(id_, rules) for one in networks for id_, rules in one.groups.items() if rules is not None
        ],
        "aws.ec2.prefix_lists": [_list(found) for one in networks for found in one.lists.values()],
        "aws.ec2.instances": [
            {"ReservationId": f"r-{id_}", "Instances": [found]}
            for one in networks
            for id_, found in one.instances.items()
        ],
        "aws.elb.load_balancers": [found for one in networks for found in one.classic],
        "aws.elbv2.load_balancers": [found for one in networks for found in one.balancers],
        "aws.globalaccelerator.accelerators": [found for one in networks for found in one.accelerators],
        "aws.cloudfront.vpc_origins": [found for one in networks for found in one.origins],
    }


def _group(id_: str, rules: list[Rule]) -> Item:
    return {
        "GroupId": id_,
        "GroupName": id_,
        "IpPermissions": [
            {
                "IpProtocol": rule.protocol,
                **({"FromPort": rule.ports[0], "ToPort": rule.ports[1]} if rule.ports else {}),
                "IpRanges": [{"CidrIp": cidr} for cidr in rule.cidrs if ":" not in cidr],
                "Ipv6Ranges": [{"CidrIpv6": cidr} for cidr in rule.cidrs if ":" in cidr],
                "PrefixListIds": [{"PrefixListId": name} for name in rule.lists],
                "UserIdGroupPairs": [{"GroupId": name, "UserId": "1111"} for name in rule.groups],
            }
            for rule in rules
        ],
        "IpPermissionsEgress": [],
    }


def _list(found: PrefixList) -> Item:
    entries = None if found.cidrs is None else {"Entries": [{"Cidr": cidr} for cidr in found.cidrs]}
    return {
        "PrefixListId": found.id,
        "AddressFamily": {"v4": "IPv4", "v6": "IPv6"}[found.family],
        "OwnerId": "1111",
        "PrefixListName": found.id,
        "GetManagedPrefixListEntries": entries,
    }
