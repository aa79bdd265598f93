"""What the demo's estate consists of, by the names used in the demo, and what the graph must say about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

ACCOUNT: Final = "123456789012"
PARTNER: Final = "210987654321"  # an account outside the organization
REGIONS: Final = ("us-east-1", "eu-west-1", "ap-southeast-2", "eu-south-1")
IMAGE: Final = "ami-0abcdef1234567890"
GONE: Final = "i-00000000000000000"  # still listed by a load balancer, no longer by EC2

ANYWHERE: Final = "0.0.0.0/0"
ANYWHERE_V6: Final = "::/0"
OFFICE: Final = "198.51.100.0/24"
INTERNAL: Final = ("10.0.0.0/16", "10.1.0.0/16", "172.16.0.0/12")  # used by the groups of all regions


@dataclass
class Region:
    """The resources of one region. Dictionaries map names in the demo to ids in AWS."""

    name: str
    vpcs: dict[str, str] = field(default_factory=dict)
    subnets: dict[str, str] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)
    instances: dict[str, str] = field(default_factory=dict)
    interfaces: dict[str, str] = field(default_factory=dict)
    load_balancers: dict[str, str] = field(default_factory=dict)  # -> DNS name
    databases: dict[str, str] = field(default_factory=dict)  # -> ARN
    exposed_directly: list[str] = field(default_factory=list)  # names of instances
    exposed_by_elb: list[str] = field(default_factory=list)  # names of instances
    exposed_load_balancers: list[str] = field(default_factory=list)  # names


@dataclass
class Estate:
    account: str
    regions: dict[str, Region]
    public_buckets: set[str] = field(default_factory=set)
    private_buckets: set[str] = field(default_factory=set)
    users: dict[str, str] = field(default_factory=dict)  # name -> ARN
    roles: dict[str, str] = field(default_factory=dict)  # name -> ARN
    trusts: dict[str, set[str]] = field(default_factory=dict)  # role name -> principals, as in its trust policy

    @property
    def buckets(self) -> set[str]:
        return self.public_buckets | self.private_buckets

    def exposed_directly(self, *regions: str) -> set[str]:
        """Ids of instances with a public address and a group open to the internet; in all regions by default."""
        return {r.instances[name] for r in self._chosen(regions) for name in r.exposed_directly}

    def exposed_by_elb(self, *regions: str) -> set[str]:
        """Ids of instances behind an exposed load balancer."""
        return {r.instances[name] for r in self._chosen(regions) for name in r.exposed_by_elb}

    def exposed_load_balancers(self, *regions: str) -> set[str]:
        """DNS names of the internet-facing load balancers whose groups allow the internet to reach a listener."""
        return {r.load_balancers[name] for r in self._chosen(regions) for name in r.exposed_load_balancers}

    def _chosen(self, names: tuple[str, ...]) -> list[Region]:
        return [region for region in self.regions.values() if not names or region.name in names]
