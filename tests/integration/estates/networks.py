"""A small network as AWS describes it: security groups, prefix lists, instances, load balancers and accelerators."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

OPEN: Final = {"v4": ("0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1"), "v6": ("::/0", "2000::/3")}
CLOSED: Final = {
    "v4": ("10.0.0.0/8", "203.0.113.7/32", "224.0.0.0/4", "240.0.0.0/4", "10.0.0.0/7"),
    "v6": ("fc00::/7", "2001:db8::/32", "fe80::/10", "ff00::/8"),
}
PUBLIC: Final = ("10.0.0.0/7",)  # closed, but part of it belongs to somebody on the internet
PORTS: Final = (22, 443, 8080)
AT_BOUNDS: Final = tuple({0, 65535, *(port + by for port in PORTS for by in (-1, 0, 1))})  # of all port ranges used
PROTOCOLS: Final = {"tcp": "tcp", "6": "tcp", "udp": "udp", "17": "udp", "icmp": "icmp", "58": "icmp", "47": "gre"}
ALL: Final = "-1"

Item = dict[str, Any]


@dataclass
class Rule:
    protocol: str
    ports: tuple[int, int] | None
    cidrs: list[str]
    lists: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)

    def allows(self, protocol: str, port: int | None) -> bool:
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
    """By id. A group whose rules are None could not be read."""

    groups: dict[str, list[Rule] | None] = field(default_factory=dict)
    lists: dict[str, PrefixList] = field(default_factory=dict)
    instances: dict[str, Item] = field(default_factory=dict)
    classic: list[Item] = field(default_factory=list)
    balancers: list[Item] = field(default_factory=list)
    accelerators: list[Item] = field(default_factory=list)
    origins: list[Item] = field(default_factory=list)
