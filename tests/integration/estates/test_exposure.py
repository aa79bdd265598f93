"""What AWS networks expose: by the analysis job, compared with an independent judge for random networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from analysis.engine import run_shipped, shipped_jobs, verdict
from loaders.graph import Graph
from tests.integration.estates import network_responses
from tests.integration.estates.judge import Judge
from tests.integration.estates.networks import Network
from tests.integration.estates.random_networks import Maker
from tests.integration.runs import Sync, scope

NETWORKS, SEED = 250, 17
JOB = next(job for job in shipped_jobs() if job.name == "aws_ec2_asset_exposure")


def judged(sync: Sync, graph: Graph, responses: Mapping[str, list[dict[str, Any]]]) -> None:
    sync.run({scope(type_): items for type_, items in responses.items()})
    run_shipped(graph, JOB, f"run-{sync.tag}", sync.tag)


def instances(graph: Graph, where: str) -> set[str]:
    return {row["id"] for row in graph.rows(f"MATCH (i:EC2Instance) WHERE {where} RETURN i.id AS id")}


def test_random_networks_are_judged_as_packets_would_pass(sync: Sync, graph: Graph) -> None:
    """In one graph, each with its own ids. No exposure is missed, and nothing unknown counts as closed."""
    made = [Maker(number, SEED).make() for number in range(NETWORKS)]
    judged(sync, graph, network_responses.responses(made))
    certain = {id_ for network in made for id_ in Judge(network, unread_is_open=False).exposed()}
    possible = {id_ for network in made for id_ in Judge(network, unread_is_open=True).exposed()} - certain
    assert min(len(certain), len(possible)) > 20, "the networks are too similar"
    exposed = instances(graph, "i.exposed_internet")
    assert (certain - exposed, exposed - certain) == (set(), set()), shown(made, certain ^ exposed)
    unknown = instances(graph, "i.exposed_internet_unknown IS NOT NULL")
    assert (possible - unknown, unknown - possible) == (set(), set()), shown(made, possible ^ unknown)
    finding = verdict(graph, JOB, sync.tag)
    assert (finding.count, finding.unknown) == (len(certain), len(possible))


def shown(made: list[Network], differing: set[str]) -> str:
    """The first network with a different verdict."""
    return next((repr(network) for network in made if differing & network.instances.keys()), "")


# --- examples, as in responses of AWS

ALB = "arn:aws:elasticloadbalancing:eu-west-1:1111:loadbalancer/app/web/1"
NLB = "arn:aws:elasticloadbalancing:eu-west-1:1111:loadbalancer/net/web/1"
Responses = dict[str, list[dict[str, Any]]]


def group(*permissions: dict[str, Any], id_: str = "sg-1") -> dict[str, Any]:
    return {"GroupId": id_, "GroupName": id_, "IpPermissions": list(permissions), "IpPermissionsEgress": []}


def rule(*cidrs: str, lists: tuple[str, ...] = (), protocol: str = "tcp", port: int = 443) -> dict[str, Any]:
    return {
        "IpProtocol": protocol,
        "FromPort": port,
        "ToPort": port,
        "IpRanges": [{"CidrIp": cidr} for cidr in cidrs if ":" not in cidr],
        "Ipv6Ranges": [{"CidrIpv6": cidr} for cidr in cidrs if ":" in cidr],
        "PrefixListIds": [{"PrefixListId": name} for name in lists],
    }


def prefix_list(
    *cidrs: str, id_: str = "pl-1", family: str = "IPv4", owner: str = "1111", name: str = "ours", read: bool = True
) -> dict[str, Any]:
    entries = {"Entries": [{"Cidr": cidr} for cidr in cidrs]} if read else None
    said = {"PrefixListId": id_, "AddressFamily": family, "OwnerId": owner, "PrefixListName": name}
    return {**said, "GetManagedPrefixListEntries": entries}


def public(*groups: str, ipv4: bool = True, ipv6: str = "") -> dict[str, Any]:
    """An instance with one interface."""
    named = [{"GroupId": one} for one in groups or ("sg-1",)]
    interface = {
        "NetworkInterfaceId": "eni-1",
        "PrivateIpAddresses": [
            {"PrivateIpAddress": "10.0.0.1", **({"Association": {"PublicIp": "198.51.100.1"}} if ipv4 else {})}
        ],
        "Ipv6Addresses": [{"Ipv6Address": ipv6}] if ipv6 else [],
        "Groups": named,
        "SubnetId": "subnet-1",
        "Attachment": {"DeviceIndex": 0},
    }
    state = {"State": {"Name": "running"}, "SecurityGroups": named, "SubnetId": "subnet-1"}
    return {"ReservationId": "r-1", "Instances": [{"InstanceId": "i-1", **state, "NetworkInterfaces": [interface]}]}


def balancer(
    arn: str = ALB,
    scheme: str = "internal",
    *groups: str,
    targets: tuple[str, ...] = ("i-1",),
    read: bool = True,
) -> dict[str, Any]:
    """With a listener on port 443, in front of i-1."""
    health = {"TargetHealthDescriptions": [{"Target": {"Id": one}} for one in targets]}
    target_group = {"TargetGroupArn": f"tg of {arn}", "TargetGroupName": "web", "TargetType": "instance"}
    listener = {"ListenerArn": f"{arn}/1", "Port": 443, "Protocol": "HTTPS" if arn == ALB else "TCP"}
    return {
        "LoadBalancerArn": arn,
        "LoadBalancerName": "web",
        "DNSName": f"{arn[-10:]}.example.com",
        "Type": "application" if arn == ALB else "network",
        "Scheme": scheme,
        "IpAddressType": "ipv4",
        "SecurityGroups": list(groups),
        "DescribeListeners": {"Listeners": [listener]} if read else None,
        "DescribeTargetGroups": {arn: [{**target_group, "DescribeTargetHealth": health}]},
    }


def accelerator(end: str, *, enabled: bool = True, kept: bool = True, port: int = 443, to: int = 0) -> dict[str, Any]:
    overrides = {"PortOverrides": [{"ListenerPort": port, "EndpointPort": to}]} if to else {}
    ends = [{"EndpointId": end, "ClientIPPreservationEnabled": kept}]
    listener = {
        "ListenerArn": "arn:ga/listener/1",
        "Protocol": "TCP",
        "PortRanges": [{"FromPort": port, "ToPort": port}],
        "ListEndpointGroups": {
            "EndpointGroups": [
                {"EndpointGroupArn": "arn:ga/listener/1/eg/1", "EndpointDescriptions": ends, **overrides}
            ]
        },
    }
    said = {"AcceleratorArn": "arn:ga", "Enabled": enabled, "IpAddressType": "IPV4", "IpSets": []}
    return {**said, "ListListeners": {"Listeners": [listener]}}


def origin(end: str) -> dict[str, Any]:
    return {"Arn": "arn:aws:cloudfront::1111:vpcorigin/vo_1", "Id": "vo_1", "OriginEndpointArn": end}


def said_of(sync: Sync, graph: Graph, responses: Responses) -> tuple[list[str] | None, str | None]:
    """How the instance is exposed, and why that is not known."""
    judged(sync, graph, responses)
    finding = verdict(graph, JOB, sync.tag)
    [row] = graph.rows(
        "MATCH (i:EC2Instance {id: 'i-1'}) RETURN i.exposed_internet_type AS how, i.exposed_internet AS is"
    )
    assert (row["how"] is not None) == (row["is"] is True) == (finding.count == 1)
    [why] = graph.rows("MATCH (i:EC2Instance {id: 'i-1'}) RETURN i.exposed_internet_unknown[0] AS why")
    return row["how"], why["why"]


@pytest.mark.parametrize(
    ("lists", "how", "why"),
    [
        ([prefix_list("0.0.0.0/0")], ["direct"], None),
        ([prefix_list("0.0.0.0/1"), prefix_list("203.0.113.0/24", id_="pl-2")], ["direct"], None),
        ([prefix_list("3.0.0.0/8", "4.0.0.0/8")], ["direct"], None),
        ([prefix_list("::/0", family="IPv6")], None, None),
        ([prefix_list("203.0.113.0/24")], None, None),
        ([], None, "the addresses of prefix list pl-1 were not read"),
        ([prefix_list(read=False, owner="9999")], None, "the addresses of prefix list pl-1 were not read"),
        ([prefix_list(read=False, family="IPv6")], None, None),
        ([prefix_list(read=False, owner="AWS", name="com.amazonaws.eu-west-1.s3")], None, None),
        ([prefix_list("52.218.0.0/17", owner="AWS", name="com.amazonaws.eu-west-1.s3")], None, None),
        (
            [prefix_list("18.68.0.0/16", owner="AWS", name="com.amazonaws.global.cloudfront.origin-facing")],
            None,
            "lets in CloudFront by pl-1: anybody can create a distribution that leads there",
        ),
    ],
)
def test_a_rule_with_a_prefix_list(
    sync: Sync, graph: Graph, lists: list[dict[str, Any]], how: list[str] | None, why: str | None
) -> None:
    responses = {
        "aws.ec2.security_groups": [group(rule(lists=("pl-1",)))],
        "aws.ec2.prefix_lists": lists,
        "aws.ec2.instances": [public()],
    }
    assert said_of(sync, graph, responses) == (how, why)


def test_an_unread_prefix_list_does_not_matter_if_another_rule_is_open(sync: Sync, graph: Graph) -> None:
    permissions = [rule(lists=("pl-1",)), rule("0.0.0.0/0", port=22)]
    responses = {"aws.ec2.security_groups": [group(*permissions)], "aws.ec2.instances": [public()]}
    assert said_of(sync, graph, responses) == (["direct"], None)


def test_each_account_has_its_own_node_of_a_shared_prefix_list(sync: Sync, graph: Graph) -> None:
    """If one may not read the entries, those of the other must be kept."""
    shared = prefix_list("0.0.0.0/0", owner="1111")
    denied = {**shared, "GetManagedPrefixListEntries": None}
    sync.run({scope("aws.ec2.prefix_lists", "1111"): [shared], scope("aws.ec2.prefix_lists", "2222"): [denied]})
    rows = graph.rows(
        "MATCH (a:AWSAccount)-[:RESOURCE]->(l:EC2ManagedPrefixList) RETURN a.id AS a, l.wide AS w ORDER BY a"
    )
    assert [(row["a"], row["w"]) for row in rows] == [("1111", True), ("2222", None)]


OPEN, OFFICE = group(rule("0.0.0.0/0")), group(rule("203.0.113.0/24"))
HALF = group(rule("10.0.0.0/7"))
HIDDEN = "is behind Global Accelerator, which hides the client: whether sg-1 lets in the accelerator was not read"


@pytest.mark.parametrize(
    ("groups", "found", "how", "why"),
    [
        (OPEN, accelerator("i-1"), ["global_accelerator"], None),
        (OPEN, accelerator("i-1", port=80, to=443), ["global_accelerator"], None),
        (OPEN, accelerator("i-1", port=80), None, None),
        (OPEN, accelerator("i-1", enabled=False), None, None),
        (OFFICE, accelerator("i-1"), None, None),
        (None, accelerator("i-1"), None, "the rules of sg-1 were not read"),
        (OPEN, accelerator(ALB), ["elbv2"], None),
        (OPEN, accelerator(ALB, kept=False), ["elbv2"], None),
        (OPEN, accelerator(ALB, port=80), None, None),
        (OPEN, accelerator(ALB, enabled=False), None, None),
        (OFFICE, accelerator(ALB), None, None),
        (HALF, accelerator(ALB, kept=False), None, f"behind web: {HIDDEN}"),
        (HALF, accelerator(ALB), None, None),
        (None, accelerator(ALB), None, "behind web: the rules of sg-1 were not read"),
    ],
)
def test_behind_a_global_accelerator_without_a_public_address(
    sync: Sync,
    graph: Graph,
    groups: dict[str, Any] | None,
    found: dict[str, Any],
    how: list[str] | None,
    why: str | None,
) -> None:
    """On its own ports; the security groups of its endpoints decide if it preserves the client's address."""
    responses = {
        "aws.ec2.security_groups": [groups] if groups else [],
        "aws.ec2.instances": [public(ipv4=False)],
        "aws.elbv2.load_balancers": [balancer(ALB, "internal", "sg-1")],
        "aws.globalaccelerator.accelerators": [found],
    }
    assert said_of(sync, graph, responses) == (how, why)


def test_an_elastic_ip_behind_an_accelerator_may_be_reached_through_it(sync: Sync, graph: Graph) -> None:
    """The client's address is never preserved there, and the public addresses of the accelerator are not known."""
    address = {
        "PublicIp": "198.51.100.1",
        "AllocationId": "eipalloc-1",
        "InstanceId": "i-1",
        "NetworkInterfaceId": "eni-1",
    }
    responses = {
        "aws.ec2.security_groups": [HALF],
        "aws.ec2.instances": [public()],
        "aws.ec2.elastic_ips": [address],
        "aws.globalaccelerator.accelerators": [accelerator("eipalloc-1", kept=False)],
    }
    assert said_of(sync, graph, responses) == (None, HIDDEN)


def test_a_custom_routing_accelerator_may_lead_to_instances_in_its_subnets(sync: Sync, graph: Graph) -> None:
    listener = {
        "ListenerArn": "arn:cr/listener/1",
        "ListCustomRoutingEndpointGroups": {"EndpointGroups": [{"EndpointDescriptions": [{"EndpointId": "subnet-1"}]}]},
    }
    routing = {"AcceleratorArn": "arn:cr", "Name": "game", "Enabled": True, "IpSets": []}
    responses = {
        "aws.ec2.subnets": [{"SubnetId": "subnet-1"}],
        "aws.ec2.security_groups": [OPEN],
        "aws.ec2.instances": [public(ipv4=False)],
        "aws.globalaccelerator.custom_routing_accelerators": [
            {**routing, "ListCustomRoutingListeners": {"Listeners": [listener]}}
        ],
    }
    why = "custom routing accelerator game may lead to it: what it allows was not read"
    assert said_of(sync, graph, responses) == (None, why)


@pytest.mark.parametrize(
    ("end", "how"), [("arn:aws:ec2:eu-west-1:1111:instance/i-1", ["cloudfront"]), (ALB, ["elbv2"])]
)
def test_a_vpc_origin_of_cloudfront_needs_no_public_address(sync: Sync, graph: Graph, end: str, how: list[str]) -> None:
    responses = {
        "aws.ec2.security_groups": [OFFICE],
        "aws.ec2.instances": [public(ipv4=False)],
        "aws.elbv2.load_balancers": [balancer(ALB, "internal", "sg-1")],
        "aws.cloudfront.vpc_origins": [origin(end)],
    }
    assert said_of(sync, graph, responses) == (how, None)


def test_exposure_is_not_known_without_listeners(sync: Sync, graph: Graph) -> None:
    responses = {
        "aws.ec2.security_groups": [OPEN],
        "aws.ec2.instances": [public(ipv4=False)],
        "aws.elbv2.load_balancers": [balancer(ALB, "internet-facing", "sg-1", read=False)],
    }
    assert said_of(sync, graph, responses) == (None, "behind web: its listeners were not read")


def test_exposure_of_targets_is_not_known_if_they_were_not_read(sync: Sync, graph: Graph) -> None:
    """The instances are not known: the target group stands for them."""
    found = balancer(ALB, "internet-facing", "sg-1", targets=())
    judged(
        sync,
        graph,
        {
            "aws.ec2.security_groups": [OPEN],
            "aws.ec2.instances": [public(ipv4=False)],
            "aws.elbv2.load_balancers": [found],
        },
    )
    graph.write(lambda tx: tx.run("MATCH (g:ELBV2TargetGroup) REMOVE g.targets").consume())
    run_shipped(graph, JOB, "again", sync.tag)
    finding = verdict(graph, JOB, sync.tag)
    assert (finding.count, finding.unknown) == (0, 1)


def test_unknown_exposure_has_a_reason(sync: Sync, graph: Graph) -> None:
    responses = {"aws.ec2.security_groups": [group(rule(lists=("pl-1",)))], "aws.ec2.instances": [public()]}
    judged(sync, graph, responses)
    assert JOB.findings
    [found] = graph.rows(JOB.findings.query, {"UPDATE_TAG": sync.tag})
    why = "the addresses of prefix list pl-1 were not read"
    assert (found["count"], found["unknown"]) == (0, 1)
    assert found["unknown_examples"] == [{"instance": "i-1", "account": "1111", "region": "eu-west-1", "why": why}]


@pytest.mark.parametrize(
    ("cidr", "ipv6", "how"),
    [
        ("fc00::/7", "2600:1f18::1", None),
        ("ff00::/8", "2600:1f18::1", None),
        ("::/0", "fd00::1", None),
        ("2000::/3", "2600:1f18::1", ["direct"]),
        ("224.0.0.0/4", "2600:1f18::1", None),
        ("240.0.0.0/4", "", None),
    ],
)
def test_ranges_and_addresses_outside_the_internet(
    sync: Sync, graph: Graph, cidr: str, ipv6: str, how: list[str] | None
) -> None:
    responses = {"aws.ec2.security_groups": [group(rule(cidr))], "aws.ec2.instances": [public(ipv6=ipv6)]}
    assert said_of(sync, graph, responses) == (how, None)
