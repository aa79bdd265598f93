"""Zones, records and search domains from a simulated AWS and a name server to the graph."""

from __future__ import annotations

from typing import Any

import pytest

from analysis.engine import run_shipped, shipped_jobs
from loaders.graph import Graph
from tests.integration.estates.conftest import ACCOUNT, REGION, Client, Fetch, Load, found
from tests.servers.dns import SERVER_FAILURE, NameServer

ZONES, RECORDS, DOMAINS = "aws.route53.zones", "aws.route53.records", "aws.elasticsearch.domains"
LEADS = """
MATCH (record:AWSDNSRecord)-[:DNS_POINTS_TO]->(there) WHERE record.type <> 'NS'
RETURN record.name, record.type, coalesce(there.dnsname, there.publicdnsname, there.id)
"""


def analysed(graph: Graph, name: str) -> Any:
    [job] = [job for job in shipped_jobs() if job.name == name]
    return run_shipped(graph, job, "run-1", 1)


def put(route53: Any, zone: str, name: str, type_: str, *values: str, ttl: int = 60, **more: Any) -> None:
    record: dict[str, Any] = {"Name": name, "Type": type_, **more}
    if values:
        record |= {"TTL": ttl, "ResourceRecords": [{"Value": value} for value in values]}
    changes = [{"Action": "UPSERT", "ResourceRecordSet": record}]
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})


def zone(route53: Any, name: str, **more: Any) -> str:
    return str(route53.create_hosted_zone(Name=name, CallerReference=name, **more)["HostedZone"]["Id"])


# --- Route 53 ---


def test_a_record_leads_to_the_resource_with_the_name_or_address(client: Client, load: Load, graph: Graph) -> None:
    """By an alias as the console writes it, by CNAME, and by address."""
    ec2, elb, route53 = client("ec2"), client("elb"), client("route53")
    balancer = elb.create_load_balancer(
        LoadBalancerName="web",
        Listeners=[{"Protocol": "HTTP", "LoadBalancerPort": 80, "InstancePort": 8080}],
        AvailabilityZones=[f"{REGION}a"],
    )["DNSName"]
    address = ec2.allocate_address(Domain="vpc")["PublicIp"]
    example = zone(route53, "example.com.")
    alias = {"HostedZoneId": "Z1", "DNSName": f"dualstack.{balancer.upper()}.", "EvaluateTargetHealth": False}
    put(route53, example, "www.example.com.", "A", AliasTarget=alias)
    put(route53, example, "old.example.com.", "CNAME", balancer)
    put(route53, example, "ssh.example.com.", "A", address)
    put(route53, example, "new.example.com.", "AAAA", "2001:db8::1")
    put(route53, example, "example.com.", "TXT", '"a token, perhaps"')
    load("aws.account", "aws.elb.load_balancers", "aws.ec2.elastic_ips", ZONES, RECORDS)
    assert found(graph, LEADS) == {
        ("www.example.com", "ALIAS", balancer),
        ("old.example.com", "CNAME", balancer),
        ("ssh.example.com", "A", address),
        ("new.example.com", "AAAA", "2001:db8::1"),
    }
    assert found(graph, "MATCH (:ElasticIPAddress)<-[:DNS_POINTS_TO]-(record) RETURN record.name") == {
        ("ssh.example.com",)
    }
    assert found(graph, "MATCH (record:AWSDNSRecord {type: 'TXT'}) RETURN record.name") == set()


def test_weighted_records_of_a_name_are_separate_nodes(client: Client, load: Load, graph: Graph) -> None:
    route53 = client("route53")
    example = zone(route53, "example.com.")
    put(route53, example, "api.example.com.", "CNAME", "blue.example.net", SetIdentifier="blue", Weight=90)
    put(route53, example, "api.example.com.", "CNAME", "green.example.net", SetIdentifier="green", Weight=10)
    load(ZONES, RECORDS)
    weighted = (
        "MATCH (r:AWSDNSRecord {type: 'CNAME'})-[:MEMBER_OF_DNS_ZONE]->(z:AWSDNSZone) RETURN r.id, r.value, z.name"
    )
    assert found(graph, weighted) == {
        (f"{example}/api.example.com/CNAME/blue", "blue.example.net", "example.com"),
        (f"{example}/api.example.com/CNAME/green", "green.example.net", "example.com"),
    }


def test_a_name_leads_on_to_other_names_but_not_into_a_private_zone(client: Client, load: Load, graph: Graph) -> None:
    ec2, route53 = client("ec2"), client("route53")
    vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    example = zone(route53, "example.com.")
    private = {"VPC": {"VPCRegion": REGION, "VPCId": vpc}, "HostedZoneConfig": {"PrivateZone": True}}
    inside = zone(route53, "inside.example.", **private)
    put(route53, example, "www.example.com.", "CNAME", "app.example.com")
    put(route53, example, "app.example.com.", "A", "192.0.2.1")
    put(route53, example, "lost.example.com.", "CNAME", "db.inside.example")
    put(route53, inside, "db.inside.example.", "A", "10.1.0.5")
    put(route53, inside, "site.inside.example.", "CNAME", "app.example.com")
    load(ZONES, RECORDS)
    analysed(graph, "aws_dns")
    names = "MATCH (a:AWSDNSRecord)-[:DNS_POINTS_TO]->(b:AWSDNSRecord) RETURN a.name, b.name"
    assert found(graph, names) == {
        ("www.example.com", "app.example.com"),
        ("site.inside.example", "app.example.com"),
    }
    zones = "MATCH (zone:AWSDNSZone) RETURN zone.name, zone.privatezone"
    assert found(graph, zones) == {("example.com", False), ("inside.example", True)}


def test_a_zone_is_a_subzone_of_the_one_that_delegates_to_its_servers(client: Client, load: Load, graph: Graph) -> None:
    route53 = client("route53")
    example, child = zone(route53, "example.com."), zone(route53, "child.example.com.")
    zone(route53, "stale.example.com.")  # nothing leads to it
    listed = route53.list_resource_record_sets(HostedZoneId=child)["ResourceRecordSets"]
    servers = next(one for one in listed if one["Type"] == "NS")["ResourceRecords"]
    put(route53, example, "child.example.com.", "NS", *(server["Value"] for server in servers))
    load(ZONES, RECORDS)
    analysed(graph, "aws_dns")
    below = "MATCH (parent:AWSDNSZone)-[:SUBZONE]->(child:AWSDNSZone) RETURN parent.name, child.name"
    assert found(graph, below) == {("example.com", "child.example.com")}
    serving = "MATCH (:AWSDNSZone {name: 'child.example.com'})-[:NAMESERVER]->(server:NameServer) RETURN server.id"
    assert found(graph, serving) == {(server["Value"].lower().removesuffix("."),) for server in servers}


def test_a_deleted_record_is_removed_and_its_zone_kept(client: Client, load: Load, graph: Graph) -> None:
    route53 = client("route53")
    example = zone(route53, "example.com.")
    put(route53, example, "a.example.com.", "A", "192.0.2.1")
    put(route53, example, "b.example.com.", "A", "192.0.2.1")
    load(ZONES, RECORDS)
    gone = {"Name": "a.example.com.", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}
    changes = [{"Action": "DELETE", "ResourceRecordSet": gone}]
    route53.change_resource_record_sets(HostedZoneId=example, ChangeBatch={"Changes": changes})
    load(ZONES, RECORDS)
    left = """
        MATCH (zone)<-[:MEMBER_OF_DNS_ZONE]-(record:AWSDNSRecord {type: 'A'})-[:DNS_POINTS_TO]->(ip:Ip)
        RETURN record.name, zone.name, ip.ip
    """
    assert found(graph, left) == {("b.example.com", "example.com", "192.0.2.1")}


# --- OpenSearch and Elasticsearch ---


OPEN = '{"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "es:ESHttp*", "Resource": "*"}]}'
CLOSED = OPEN.replace('"*"}', f'"arn:aws:iam::{ACCOUNT}:root"}}')


@pytest.fixture
def endpoints(client: Client) -> dict[str, str]:
    """The public names of three search domains: with an open policy, a closed one, and none."""
    es = client("es")
    for name, policy in (("open", OPEN), ("closed", CLOSED), ("plain", None)):
        es.create_elasticsearch_domain(DomainName=name, **({"AccessPolicies": policy} if policy else {}))
    listed = es.describe_elasticsearch_domains(DomainNames=["open", "closed", "plain"])["DomainStatusList"]
    return {domain["DomainName"]: domain["Endpoint"] for domain in listed}


def test_a_search_domain_is_public_by_its_policy_and_its_name_leads_to_it(
    endpoints: dict[str, str], load: Load, graph: Graph
) -> None:
    with NameServer({endpoints["open"]: ["192.0.2.7", "192.0.2.8"], endpoints["closed"]: []}) as names:
        load("aws.account", DOMAINS, access={"name_server": names.address})
    analysed(graph, "aws_elasticsearch_exposure")
    public = """
        MATCH (:AWSAccount)-[:RESOURCE]->(d:ESDomain)
        RETURN d.name, d.exposed_internet, d.policy_anonymous_actions <> []
    """
    assert found(graph, public) == {("open", True, True), ("closed", False, False), ("plain", False, False)}
    leads = "MATCH (r:AWSESEndpointRecord)-[:DNS_POINTS_TO]->(d:ESDomain) RETURN d.name, r.name, r.value"
    assert found(graph, leads) == {("open", endpoints["open"], "192.0.2.7,192.0.2.8")}
    addresses = "MATCH (:ESDomain {name: 'open'})<-[:DNS_POINTS_TO]-(:DNSRecord)-[:DNS_POINTS_TO]->(ip:Ip) RETURN ip.id"
    assert found(graph, addresses) == {("192.0.2.7",), ("192.0.2.8",)}


def test_a_failing_name_server_is_a_gap_and_does_not_affect_other_domains(
    endpoints: dict[str, str], fetch: Fetch
) -> None:
    """A name that doesn't exist is a result, as is one without an address of this kind."""
    with NameServer({endpoints["open"]: SERVER_FAILURE, endpoints["closed"]: []}) as names:
        items = {item.value["DomainName"]: item for item in fetch(DOMAINS, access={"name_server": names.address})}
    assert items["open"].value["Addresses"] is None
    assert [gap.action for gap in items["open"].gaps] == ["name server"]
    for name in ("closed", "plain"):
        assert (items[name].value["Addresses"], items[name].gaps) == ([], ())
