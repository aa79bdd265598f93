"""Peerings, gateways and addresses from a simulated AWS to the graph."""

from __future__ import annotations

import pytest

from analysis.engine import run_shipped, shipped_jobs
from loaders.graph import Graph
from tests.integration.estates.conftest import ACCOUNT, REGION, Client, Load, found

PARTNER, ELSEWHERE = "444455556666", "eu-central-1"
VPCS, PEERINGS = "aws.ec2.vpcs", "aws.ec2.vpc_peerings"
SIDES = """
MATCH (peering:AWSPeeringConnection)-[side:REQUESTER_VPC|ACCEPTER_VPC]->(vpc:AWSVpc)
RETURN peering.id, peering.status_code, type(side), vpc.id
"""
PAIRS = """
MATCH (one:AWSIpv4CidrBlock)-[pair:VPC_PEERING]->(other:AWSIpv4CidrBlock)
RETURN one.id, pair.connection_id, pair.status_code, other.id
"""
FOREIGN = "MATCH (account:AWSAccount {foreign: true})-[:RESOURCE]->(vpc:AWSVpc) RETURN account.id, vpc.vpcid"


@pytest.fixture
def peered(client: Client) -> tuple[str, str, str]:
    """A connection to a partner's VPC in another region, accepted: its id, the requester's VPC, and the accepter's."""
    ours, theirs = client("ec2"), client("ec2", ELSEWHERE, account=PARTNER)
    mine = ours.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    other = theirs.create_vpc(CidrBlock="10.2.0.0/16")["Vpc"]["VpcId"]
    made = ours.create_vpc_peering_connection(VpcId=mine, PeerVpcId=other, PeerOwnerId=PARTNER, PeerRegion=ELSEWHERE)
    connection = made["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    theirs.accept_vpc_peering_connection(VpcPeeringConnectionId=connection)
    return connection, mine, other


def analysed(graph: Graph) -> None:
    [job] = [job for job in shipped_jobs() if job.name == "aws_vpc_peering"]
    run_shipped(graph, job, "run-1", 1)


def test_a_peering_is_one_node_whichever_side_lists_it(peered: tuple[str, str, str], load: Load, graph: Graph) -> None:
    connection, mine, other = peered
    expected = {(connection, "active", "REQUESTER_VPC", mine), (connection, "active", "ACCEPTER_VPC", other)}
    load("aws.account", VPCS, PEERINGS, regions=(REGION, ELSEWHERE), accounts=(ACCOUNT, PARTNER))
    analysed(graph)
    assert found(graph, SIDES) == expected
    assert found(graph, PAIRS) == {(f"{mine}|10.1.0.0/16", connection, "active", f"{other}|10.2.0.0/16")}
    assert found(graph, FOREIGN) == set()
    load(PEERINGS, accounts=(ACCOUNT,))
    assert found(graph, SIDES) == expected


def test_the_vpc_of_a_partner_that_is_not_synced_is_foreign(
    peered: tuple[str, str, str], load: Load, graph: Graph
) -> None:
    connection, mine, other = peered
    load("aws.account", VPCS, PEERINGS)
    graph.autocommit(f"CREATE (:SyncScope {{id: 'seen', provider: 'aws', tenant: '{ACCOUNT}', type: '{VPCS}'}})")
    analysed(graph)
    assert found(graph, SIDES) == {
        (connection, "active", "REQUESTER_VPC", mine),
        (connection, "active", "ACCEPTER_VPC", other),
    }
    assert found(graph, FOREIGN) == {(PARTNER, other)}


def test_cidr_blocks_of_a_partner_that_is_not_synced_belong_to_its_vpc(
    peered: tuple[str, str, str], load: Load, graph: Graph
) -> None:
    """Queries for CIDR blocks find both sides, also after a second run, each once."""
    _, mine, other = peered
    blocks = (
        "MATCH (vpc:AWSVpc)-[of:BLOCK_ASSOCIATION]->(b:AWSCidrBlock) RETURN vpc.id, b.cidr_block, of._scope IS NULL"
    )
    load(VPCS, PEERINGS)
    for _ in range(2):
        analysed(graph)
        ends = {row for row in found(graph, blocks) if row[0] in (mine, other)}
        assert ends == {(mine, "10.1.0.0/16", False), (other, "10.2.0.0/16", True)}


def test_a_connection_that_neither_side_lists_is_deleted(
    peered: tuple[str, str, str], client: Client, load: Load, graph: Graph
) -> None:
    load(VPCS, PEERINGS)
    assert found(graph, "MATCH (peering:AWSPeeringConnection) RETURN peering.id") == {(peered[0],)}
    client("ec2").delete_vpc_peering_connection(VpcPeeringConnectionId=peered[0])
    load(VPCS, PEERINGS)
    assert found(graph, "MATCH (peering:AWSPeeringConnection {status_code: 'active'}) RETURN peering.id") == set()


def test_a_transit_gateway_has_its_attachments(client: Client, load: Load, graph: Graph) -> None:
    ec2 = client("ec2")
    gateway = ec2.create_transit_gateway(Description="between the VPCs")["TransitGateway"]
    vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.1.1.0/24")["Subnet"]["SubnetId"]
    made = ec2.create_transit_gateway_vpc_attachment(
        TransitGatewayId=gateway["TransitGatewayId"], VpcId=vpc, SubnetIds=[subnet]
    )
    attachment = made["TransitGatewayVpcAttachment"]["TransitGatewayAttachmentId"]
    load(
        "aws.account",
        VPCS,
        "aws.ec2.subnets",
        "aws.ec2.transit_gateways",
        "aws.ec2.transit_gateway_attachments",
    )
    assert found(
        graph,
        """
        MATCH (:AWSAccount)-[:RESOURCE]->(gateway:AWSTransitGateway)<-[:ATTACHED_TO]-(to:AWSTransitGatewayAttachment)
        MATCH (vpc:AWSVpc)-[:RESOURCE]->(to)-[:PART_OF_SUBNET]->(subnet:EC2Subnet)
        RETURN gateway.tgw_id, gateway.description, to.id, to.resource_type, vpc.id, subnet.subnetid
        """,
    ) == {(gateway["TransitGatewayId"], "between the VPCs", attachment, "vpc", vpc, subnet)}
    ec2.delete_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=attachment)
    load("aws.ec2.transit_gateway_attachments")
    assert found(graph, "MATCH (to:AWSTransitGatewayAttachment {state: 'available'}) RETURN to.id") == set()


def test_an_internet_gateway_exposes_the_vpc_it_is_attached_to(client: Client, load: Load, graph: Graph) -> None:
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    opens, spare = (ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"] for _ in range(2))
    ec2.attach_internet_gateway(InternetGatewayId=opens, VpcId=vpc)
    load("aws.account", VPCS, "aws.ec2.internet_gateways")
    query = """
        MATCH (:AWSAccount)-[:RESOURCE]->(gateway:AWSInternetGateway)
        OPTIONAL MATCH (gateway)-[:ATTACHED_TO]->(vpc:AWSVpc) RETURN gateway.id, vpc.id
    """
    assert found(graph, query) == {(opens, vpc), (spare, None)}
    ec2.detach_internet_gateway(InternetGatewayId=opens, VpcId=vpc)
    ec2.delete_internet_gateway(InternetGatewayId=spare)
    load("aws.ec2.internet_gateways")
    assert found(graph, query) == {(opens, None)}


def test_an_elastic_ip_leads_to_what_it_is_associated_with(client: Client, load: Load, graph: Graph) -> None:
    ec2 = client("ec2")
    image = ec2.register_image(Name="any")["ImageId"]
    instance = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    used, unused = (ec2.allocate_address(Domain="vpc") for _ in range(2))
    ec2.associate_address(AllocationId=used["AllocationId"], InstanceId=instance)
    load("aws.account", "aws.ec2.instances", "aws.ec2.elastic_ips")
    query = """
        MATCH (:AWSAccount)-[:RESOURCE]->(address:ElasticIPAddress)
        OPTIONAL MATCH (instance:EC2Instance)-[:ELASTIC_IP_ADDRESS]->(address)
        RETURN address.public_ip, address.allocation_id, instance.id
    """
    assert found(graph, query) == {
        (used["PublicIp"], used["AllocationId"], instance),
        (unused["PublicIp"], unused["AllocationId"], None),
    }
    ec2.release_address(AllocationId=unused["AllocationId"])
    load("aws.ec2.elastic_ips")
    assert {row[0] for row in found(graph, query)} == {used["PublicIp"]}
