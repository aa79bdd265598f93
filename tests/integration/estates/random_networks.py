"""Random small networks."""

from __future__ import annotations

from random import Random

from tests.integration.estates.networks import (
    ALL,
    CLOSED,
    OPEN,
    PORTS,
    PROTOCOLS,
    Item,
    Network,
    PrefixList,
    Rule,
)


class Maker:
    """Makes a random network with its number in all ids."""

    def __init__(self, number: int, seed: int) -> None:
        self.random = Random(f"{seed}/{number}")
        self.number = number
        self.network = Network()

    def make(self) -> Network:
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
            return  # rules refer to it, but it is missing: of another account, or denied
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
            "Ipv6Addresses": [{"Ipv6Address": ip} for ip in ipv6],
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
                    "Instances": [{"InstanceId": instance} for instance in self._some_instances()],
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
        health = [{"Target": {"Id": instance}} for instance in self._some_instances()]
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
