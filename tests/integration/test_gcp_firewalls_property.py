"""Random firewalls, each network judged packet by packet as Google says that its firewalls do, against the shipped job.

https://cloud.google.com/firewall/docs/firewalls: the rule of lowest priority decides, of equal ones one that denies.
What none is for is denied.
"""

from __future__ import annotations

import ipaddress
import random
from dataclasses import dataclass
from typing import Any, Final

from analysis.engine import run_shipped
from loaders.graph import Graph
from loaders.model import Source
from loaders.scope import Scope
from tasks.gcp.compute import firewalls
from tests.integration.test_analysis import TAG, run, shipped

ESTATES: Final = 300
V4: Final = ("16.0.0.0/5", "32.0.0.0/4", "48.0.0.0/5", "56.0.0.0/5", "8.8.0.0/16", "10.0.0.0/8", "224.0.0.0/4")
V6: Final = ("2400::/12", "2600::/12", "2a00::/12", "2001:db8::/32", "fc00::/7", "2604:1380::/48")
PROTOCOLS: Final = ("tcp", "6", "udp", "17", "icmp", "all", "132")
PORTS: Final = ("0-65535", "1-22", "22", "23-79", "80", "81-65535", "0-21")
TRIED: Final = (0, 1, 21, 22, 23, 79, 80, 81, 65535)
NUMBERS: Final = {"tcp": 6, "udp": 17, "icmp": 1, "sctp": 132}
LINK: Final = "https://www.googleapis.com/compute/v1/"


@dataclass(frozen=True)
class Rule:
    kind: str  # allow, deny
    priority: int
    protocol: str
    ports: tuple[str, ...]
    ranges: tuple[str, ...]

    def is_for(self, protocol: int, port: int, source: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
        if self.protocol != "all" and int(NUMBERS.get(self.protocol, self.protocol)) != protocol:
            return False
        if self.ports and not any(_first(one) <= port <= _last(one) for one in self.ports):
            return False
        return any(_holds(one, source) for one in self.ranges)

    def as_google_has_it(self, link: str) -> dict[str, Any]:
        told = {"IPProtocol": self.protocol} | ({"ports": list(self.ports)} if self.ports else {})
        return {
            "selfLink": link,
            "sourceRanges": list(self.ranges),
            "allowed" if self.kind == "allow" else "denied": [told],
        }


def _first(ports: str) -> int:
    return int(ports.partition("-")[0])


def _last(ports: str) -> int:
    return int(ports.rpartition("-")[2])


def _holds(text: str, source: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    network = ipaddress.ip_network(text)
    return network.version == source.version and source.subnet_of(network)  # type: ignore[arg-type]


def judged(rules: list[Rule], atoms: tuple[str, ...]) -> bool:
    """Is there a protocol and port that more than a 256th of all addresses reach (of IPv6, a 65,536th)?"""
    order = sorted(rules, key=lambda rule: (rule.priority, rule.kind == "allow"))
    sources = [ipaddress.ip_network(one) for one in atoms]
    most = 2**24 if sources[0].version == 4 else 2 ** (128 - 16)
    for protocol in (6, 17, 132):
        for port in TRIED:
            open_ = 0
            for source in sources:
                first = next((rule for rule in order if rule.is_for(protocol, port, source)), None)
                if first and first.kind == "allow" and source.is_global and not source.is_multicast:
                    open_ += source.num_addresses
            if open_ > most:
                return True
    return False


def some(random_: random.Random, atoms: tuple[str, ...], everything: str) -> Rule:
    protocol = random_.choice(PROTOCOLS)
    ports = tuple(random_.sample(PORTS, random_.randint(0, 2))) if protocol not in ("icmp", "all") else ()
    ranges = (everything,) if random_.random() < 0.3 else tuple(random_.sample(atoms, random_.randint(1, 4)))
    return Rule(random_.choice(["allow", "deny", "deny"]), random_.choice([1, 2, 3]), protocol, ports, ranges)


def load(graph: Graph, name: str, rules: list[Rule], *, ipv6: bool) -> None:
    """An instance of that name in a network of its own, with these firewalls."""
    rows = []
    for number, rule in enumerate(rules):
        item = rule.as_google_has_it(f"{LINK}projects/p/global/firewalls/{name}-{number}")
        source = Source(item, Scope(type="gcp.compute.firewalls", tenant="p"), (), "", "", {})
        found = [dict(one) for kind in ("allow", "deny") for one in firewalls.rules(kind)(source)]
        for one in found:
            spans = one.pop("spans")
            for version in (4, 6):
                one |= {
                    f"first{version}": [a for a, _ in spans[version]],
                    f"after{version}": [b for _, b in spans[version]],
                }
        rows.append({"id": f"{name}-{number}", "priority": rule.priority, "rules": found})
    run(
        graph,
        """
        CREATE (vpc:GCPVpc {id: $name, name: $name})<-[:MEMBER_OF_GCP_VPC]-(i:GCPInstance {id: $name})
        CREATE (i)-[:NETWORK_INTERFACE]->(:GCPNetworkInterface {id: $name, vpc_partial_uri: $name})
            -[:RESOURCE]->(:GCPNicAccessConfig {id: $name, public_ip: $ip, external_ipv6: $ipv6})
        WITH vpc UNWIND $rows AS row
        CREATE (vpc)-[:RESOURCE]->(f:GCPFirewall {id: row.id, name: row.id, direction: 'INGRESS',
                                                  priority: row.priority, has_target_service_accounts: false})
        WITH f, row UNWIND row.rules AS rule
        CREATE (r:GCPIpRule {id: rule.id, protocol: rule.protocol, fromport: rule.first, toport: rule.last,
            ipv4_first: rule.first4, ipv4_after: rule.after4, ipv6_first: rule.first6, ipv6_after: rule.after6})
        FOREACH (x IN CASE rule.kind WHEN 'allow' THEN [1] ELSE [] END | CREATE (r)-[:ALLOWED_BY]->(f))
        FOREACH (x IN CASE rule.kind WHEN 'deny' THEN [1] ELSE [] END | CREATE (r)-[:DENIED_BY]->(f))
        """,
        name=name,
        rows=rows,
        ip="" if ipv6 else "198.51.100.1",
        ipv6="2600::1" if ipv6 else "",
    )


def test_the_job_agrees_with_each_packet(graph: Graph) -> None:
    random_ = random.Random(17)
    expected: dict[str, bool] = {}
    estates: dict[str, list[Rule]] = {}
    for number in range(ESTATES):
        ipv6 = number % 3 == 0
        atoms, everything = (V6, "::/0") if ipv6 else (V4, "0.0.0.0/0")
        rules = [some(random_, atoms, everything) for _ in range(random_.randint(2, 7))]
        rules.append(Rule("allow", random_.choice([2, 3]), random_.choice(["tcp", "6", "all"]), (), atoms))
        name = f"i{number}"
        load(graph, name, rules, ipv6=ipv6)
        estates[name], expected[name] = rules, judged(rules, atoms)
    assert run_shipped(graph, shipped("gcp_compute_asset_inet_exposure"), "run-1", TAG)
    rows = graph.rows("MATCH (i:GCPInstance) RETURN i.id AS name, coalesce(i.exposed_internet, false) AS exposed")
    wrong = {row["name"]: estates[row["name"]] for row in rows if row["exposed"] != expected[row["name"]]}
    assert not wrong
    assert ESTATES * 0.2 < sum(expected.values()) < ESTATES * 0.9, "both verdicts are met"
