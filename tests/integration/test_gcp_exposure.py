"""What the shipped jobs conclude of GCP: which firewall rules are for which instance, and what the internet reaches."""

from __future__ import annotations

from typing import Any

import pytest

from analysis.engine import run_shipped
from loaders.graph import Graph
from tests.integration.test_analysis import TAG, run, shipped

JOB = "gcp_compute_asset_inet_exposure"
V4, V6 = "0.0.0.0/0", "::/0"


def network(graph: Graph, *, ip: str = "203.0.113.10", ipv6: str = "", tags: tuple[str, ...] = ()) -> None:
    """A network with an instance `web` in it, which runs as `web@example` and has these addresses and tags."""
    run(
        graph,
        """
        CREATE (vpc:GCPVpc {id: 'net', name: 'net'})
        CREATE (vpc)<-[:MEMBER_OF_GCP_VPC]-(i:GCPInstance {id: 'web', service_account_email: 'web@example'})
        CREATE (i)-[:NETWORK_INTERFACE]->(n:GCPNetworkInterface {id: 'nic', vpc_partial_uri: 'net'})
        CREATE (n)-[:RESOURCE]->(:GCPNicAccessConfig {id: 'config', public_ip: $ip, external_ipv6: $ipv6})
        FOREACH (tag IN $tags | MERGE (t:GCPNetworkTag {id: tag}) CREATE (i)-[:TAGGED]->(t))
        SET i._scope = 's', vpc._scope = 's'
        """,
        ip=ip,
        ipv6=ipv6,
        tags=list(tags),
    )


def firewall(graph: Graph, name: str, *, to: str = "net", **fields: Any) -> None:
    """A rule. `allow`, `deny`: "tcp:80-90", "all"; from `ranges`; for `tags`, or for service `accounts`."""
    kind, said = ("DENIED_BY", fields["deny"]) if "deny" in fields else ("ALLOWED_BY", fields["allow"])
    protocol, _, ports = said.partition(":")
    first, _, last = ports.partition("-")
    run(
        graph,
        f"""
        MERGE (vpc:GCPVpc {{id: $to}})
        CREATE (vpc)-[:RESOURCE]->(f:GCPFirewall {{id: $name, name: $name, direction: 'INGRESS', priority: $priority,
            disabled: $disabled, has_target_service_accounts: size($accounts) > 0, target_service_accounts: $accounts}})
        CREATE (f)<-[:{kind}]-(r:GCPIpRule:IpRule:IpPermissionInbound {{id: $name + '/rule', protocol: $protocol,
            fromport: $first, toport: $last}})
        FOREACH (range IN $ranges | MERGE (a:IpRange {{id: range}})
                 SET a.wide = range IN ['0.0.0.0/0', '::/0', '0.0.0.0/1']
                 CREATE (a)-[:MEMBER_OF_IP_RULE]->(r))
        FOREACH (tag IN $tags | MERGE (t:GCPNetworkTag {{id: tag}}) CREATE (f)-[:TARGET_TAG]->(t))
        SET f._scope = 's'
        """,
        name=name,
        to=to,
        priority=fields.get("priority", 1000),
        disabled=fields.get("disabled", False),
        ranges=fields.get("ranges", [V4]),
        tags=fields.get("tags", []),
        accounts=fields.get("accounts", []),
        protocol=protocol,
        first=int(first) if first else None,
        last=int(last or first) if first else None,
    )


def exposed(graph: Graph) -> bool:
    assert run_shipped(graph, shipped(JOB), "run-1", TAG)
    found = graph.rows("MATCH (i:GCPInstance {exposed_internet: true}) RETURN i.exposed_internet_type AS how")
    assert found in ([], [{"how": "direct"}])
    return bool(found)


def test_a_public_address_and_a_rule_that_lets_anyone_in(graph: Graph) -> None:
    network(graph)
    firewall(graph, "web", allow="tcp:443")
    assert exposed(graph)


@pytest.mark.parametrize("allow", ["udp:53", "all", "sctp", "6", "tcp:0-65535"])
def test_by_any_protocol_with_ports(graph: Graph, allow: str) -> None:
    network(graph)
    firewall(graph, "web", allow=allow)
    assert exposed(graph)


@pytest.mark.parametrize(
    "how",
    [
        {"allow": "icmp"},
        {"allow": "tcp:443", "disabled": True},
        {"allow": "tcp:443", "ranges": ["203.0.113.0/24"]},
        {"allow": "tcp:443", "ranges": [V6]},
        {"allow": "tcp:443", "tags": ["other"]},
        {"allow": "tcp:443", "accounts": ["other@example"]},
        {"allow": "tcp:443", "to": "another network"},
    ],
    ids=str,
)
def test_a_rule_that_lets_nobody_in_from_the_internet(graph: Graph, how: dict[str, Any]) -> None:
    network(graph)
    firewall(graph, "web", **how)
    assert not exposed(graph)


def test_without_a_public_address_nobody_gets_there(graph: Graph) -> None:
    network(graph, ip="")
    firewall(graph, "web", allow="tcp:443")
    assert not exposed(graph)


def test_an_address_of_ipv6_is_reached_by_the_rules_of_ipv6(graph: Graph) -> None:
    network(graph, ip="", ipv6="2001:db8::1")
    firewall(graph, "v4", allow="tcp:443")
    assert not exposed(graph)
    run(graph, "MATCH (r:SyncRun) DELETE r")
    firewall(graph, "v6", allow="tcp:443", ranges=[V6])
    assert exposed(graph)


def test_half_of_all_addresses_is_anyone(graph: Graph) -> None:
    network(graph)
    firewall(graph, "web", allow="tcp:443", ranges=["0.0.0.0/1"])
    assert exposed(graph)


def test_a_rule_for_the_instances_tag_or_service_account(graph: Graph) -> None:
    network(graph, tags=("web",))
    firewall(graph, "by-tag", allow="tcp:22", tags=["web"], ranges=["10.0.0.0/8"])
    firewall(graph, "by-account", allow="tcp:443", accounts=["web@example"])
    assert exposed(graph)
    found = graph.rows("MATCH (f:GCPFirewall)-[:FIREWALL_INGRESS]->(:GCPInstance) RETURN f.name AS name ORDER BY name")
    assert [row["name"] for row in found] == ["by-account", "by-tag"]


@pytest.mark.parametrize(
    ("deny", "reached"),
    [
        ({"deny": "tcp:443", "priority": 999}, False),
        ({"deny": "tcp:443", "priority": 1000}, False),  # of equal ones, deny comes first
        ({"deny": "tcp:443", "priority": 1001}, True),
        ({"deny": "all", "priority": 1}, False),
        ({"deny": "tcp:0-65535", "priority": 1}, False),
        ({"deny": "tcp:80", "priority": 1}, True),
        ({"deny": "udp:443", "priority": 1}, True),
        ({"deny": "tcp:443", "priority": 1, "ranges": ["203.0.113.0/24"]}, True),
        ({"deny": "tcp:443", "priority": 1, "ranges": [V6]}, True),
        ({"deny": "tcp:443", "priority": 1, "tags": ["other"]}, True),
        ({"deny": "tcp:443", "priority": 1, "disabled": True}, True),
    ],
    ids=str,
)
def test_a_rule_that_denies_may_come_first(graph: Graph, deny: dict[str, Any], reached: bool) -> None:
    network(graph)
    firewall(graph, "web", allow="tcp:443")
    firewall(graph, "deny", **deny)
    assert exposed(graph) is reached


def test_of_a_cluster_what_google_leaves_out_is_off(graph: Graph) -> None:
    run(graph, "CREATE (:GKECluster {id: 'default'})")
    private = "private_nodes: true, private_endpoint_enabled: true, master_authorized_networks: true"
    run(graph, f"CREATE (:GKECluster {{id: 'private', {private}}})")
    assert run_shipped(graph, shipped("gcp_gke_asset_exposure"), "run-1", TAG)
    assert graph.rows("MATCH (c:GKECluster {exposed_internet: true}) RETURN c.id AS id") == [{"id": "default"}]


def test_a_cluster_with_user_name_and_password(graph: Graph) -> None:
    run(graph, "CREATE (:GKECluster {id: 'old', masterauth_username: 'admin', masterauth_has_password: true})")
    run(graph, "CREATE (:GKECluster {id: 'new', masterauth_username: '', masterauth_has_password: false})")
    assert run_shipped(graph, shipped("gcp_gke_basic_auth"), "run-1", TAG)
    assert graph.rows("MATCH (c:GKECluster {basic_auth: true}) RETURN c.id AS id") == [{"id": "old"}]
