"""What the shipped jobs conclude of GCP: which firewall rules are for which instance, and what the internet reaches."""

from __future__ import annotations

from typing import Any

import pytest

from analysis.engine import run_shipped, verdict
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


@pytest.mark.parametrize(
    ("denies", "reached"),
    [
        ([{"deny": "6"}], False),
        ([{"deny": "tcp:0-442"}, {"deny": "6:443-65535"}], False),
        ([{"deny": "tcp:0-442"}, {"deny": "tcp:444-65535"}], True),
        ([{"deny": "tcp", "ranges": ["0.0.0.0/1"]}, {"deny": "all", "ranges": ["128.0.0.0/1"]}], False),
        ([{"deny": "tcp", "ranges": ["0.0.0.0/1"]}, {"deny": "udp", "ranges": ["128.0.0.0/1"]}], True),
        ([{"deny": "tcp:0-442", "ranges": ["0.0.0.0/1"]}, {"deny": "tcp:443-65535", "ranges": ["128.0.0.0/1"]}], True),
    ],
    ids=str,
)
def test_rules_that_deny_and_together_cover_one_that_allows(
    graph: Graph, denies: list[dict[str, Any]], reached: bool
) -> None:
    network(graph)
    firewall(graph, "web", allow="tcp")
    for number, deny in enumerate(denies):
        firewall(graph, f"deny-{number}", priority=1, **deny)
    assert exposed(graph) is reached


def test_a_rule_that_denies_for_some_addresses_of_a_machine_leaves_others_open(graph: Graph) -> None:
    network(graph)
    firewall(graph, "web", allow="tcp")
    firewall(graph, "deny", deny="all", priority=1)
    run(graph, "MATCH (f:GCPFirewall {id: 'deny'}) SET f.destination_ranges = ['10.0.0.9/32']")
    assert exposed(graph)


# --- what isn't known


def not_known(graph: Graph) -> list[str]:
    assert not exposed(graph)
    found = verdict(graph, shipped(JOB), TAG)
    reasons: list[str] = graph.rows("MATCH (i:GCPInstance) RETURN coalesce(i.exposure_not_known, []) AS why")[0]["why"]
    assert (found.count, found.unknown) == (0, bool(reasons))
    assert [one["why"] for one in found.unknown_examples] == ["; ".join(reasons)] * bool(reasons)
    return reasons


def test_a_policy_of_the_network_that_is_not_read_may_let_anyone_in(graph: Graph) -> None:
    network(graph)
    assert not_known(graph) == []
    run(graph, "MATCH (r:SyncRun) DELETE r")
    run(graph, "MATCH (v:GCPVpc {id: 'net'}) SET v.firewall_policy = 'policies/web'")
    assert not_known(graph) == ["firewall policy not read: policies/web"]


def test_so_may_a_network_that_was_not_seen(graph: Graph) -> None:
    network(graph)
    run(graph, "MATCH (v:GCPVpc {id: 'net'}) REMOVE v.name")
    assert not_known(graph) == ["network not seen: net"]


@pytest.mark.parametrize(
    ("balancer", "allow", "known"),
    [
        ("backend_service: 'b'", "tcp:443", False),
        ("target: 'https://x/targetPools/p'", "tcp:443", False),
        ("target: 'https://x/targetHttpProxies/p'", "tcp:443", True),
        ("backend_service: 'b', load_balancing_scheme: 'INTERNAL'", "tcp:443", True),
        ("backend_service: 'b', region: 'europe-west10'", "tcp:443", True),
        ("backend_service: 'b'", "icmp", True),
    ],
)
def test_a_load_balancer_may_pass_packets_on_to_an_instance(
    graph: Graph, balancer: str, allow: str, known: bool
) -> None:
    network(graph, ip="")
    firewall(graph, "web", allow=allow)
    run(
        graph,
        f"""
        MATCH (i:GCPInstance) SET i.zone_name = 'europe-west1-b', i.project_id = 'p'
        CREATE (:GCPProject {{id: 'p'}})-[:RESOURCE]->(i)
        CREATE (f:GCPForwardingRule {{name: 'web', project_id: 'p', region: 'europe-west1',
                                      load_balancing_scheme: 'EXTERNAL'}}) SET f += {{{balancer}}}
        """,
    )
    assert not_known(graph) == ([] if known else ["backends not read: web"])


# --- clusters

PUBLIC = "public_endpoint_enabled: true, dns_endpoint_external: false, google_cloud_access: false"
LIMITED = f"{PUBLIC}, master_authorized_networks: true"


@pytest.mark.parametrize(
    ("properties", "how"),
    [
        (f"{PUBLIC}, authorized_networks_wide: false", ["anywhere"]),
        (f"{LIMITED}, authorized_networks_wide: false", None),
        (f"{LIMITED}, authorized_networks_wide: false, private_nodes: false", None),
        (f"{LIMITED}, authorized_networks_wide: true", ["authorized_networks"]),
        (f"{LIMITED}, authorized_networks_wide: false, google_cloud_access: true", ["google_cloud"]),
        ("public_endpoint_enabled: false, dns_endpoint_external: true", ["dns_endpoint"]),
        ("public_endpoint_enabled: false, dns_endpoint_external: false", None),
        ("", ["anywhere"]),
        ("private_nodes: true, private_endpoint_enabled: true, master_authorized_networks: true", None),
    ],
)
def test_a_cluster_is_judged_by_its_endpoints(graph: Graph, properties: str, how: list[str] | None) -> None:
    """Its nodes are instances, and judged as these. What Google leaves out is off."""
    run(graph, f"CREATE (:GKECluster {{{properties}}})")
    assert run_shipped(graph, shipped("gcp_gke_asset_exposure"), "run-1", TAG)
    found = graph.rows("MATCH (c:GKECluster) RETURN c.exposed_internet AS exposed, c.exposed_internet_type AS how")
    assert found == [{"exposed": True if how else None, "how": how}]


def test_a_cluster_of_an_earlier_tool_is_not_known(graph: Graph) -> None:
    run(graph, "CREATE (:GKECluster {id: 'c', master_authorized_networks: true})")
    assert run_shipped(graph, shipped("gcp_gke_asset_exposure"), "run-1", TAG)
    found = verdict(graph, shipped("gcp_gke_asset_exposure"), TAG)
    assert (found.count, found.unknown) == (0, 1)


def test_a_cluster_with_user_name_and_password(graph: Graph) -> None:
    run(graph, "CREATE (:GKECluster {id: 'old', masterauth_username: 'admin', masterauth_has_password: true})")
    run(graph, "CREATE (:GKECluster {id: 'new', masterauth_username: '', masterauth_has_password: false})")
    assert run_shipped(graph, shipped("gcp_gke_basic_auth"), "run-1", TAG)
    assert graph.rows("MATCH (c:GKECluster {basic_auth: true}) RETURN c.id AS id") == [{"id": "old"}]
