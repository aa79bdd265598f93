"""Tables, clusters and tags from a simulated AWS to the graph."""

from __future__ import annotations

import json
from typing import Any

from loaders.graph import Graph
from tasks.failures import Failure
from tests.integration.estates.conftest import ACCOUNT, REGION, Client, Fetch, Load, found
from tests.servers.aws import AwsServer, Effect, Fault

TABLES, CLUSTERS, TAGS = "aws.dynamodb.tables", "aws.redshift.clusters", "aws.tags"


def table(dynamodb: Any, name: str, *indexes: str, **more: Any) -> str:
    """With global secondary indexes of these names."""
    keys = [{"AttributeName": "id", "KeyType": "HASH"}]
    listed = [
        {"IndexName": index, "KeySchema": keys, "Projection": {"ProjectionType": "ALL"}, "ProvisionedThroughput": RATE}
        for index in indexes
    ]
    made = dynamodb.create_table(
        TableName=name,
        KeySchema=keys,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        ProvisionedThroughput=RATE,
        **({"GlobalSecondaryIndexes": listed} if listed else {}),
        **more,
    )
    return str(made["TableDescription"]["TableArn"])


RATE = {"ReadCapacityUnits": 5, "WriteCapacityUnits": 2}
INDEXES = """
MATCH (table:DynamoDBTable)-[:GLOBAL_SECONDARY_INDEX]->(index:DynamoDBGlobalSecondaryIndex)
RETURN table.name, index.name, index.id, index.provisioned_throughput_read_capacity_units
"""


def test_a_table_has_its_indexes_and_its_stream(client: Client, load: Load, graph: Graph) -> None:
    dynamodb = client("dynamodb")
    stream = {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}}
    orders, plain = table(dynamodb, "orders", "by-day", "by-place", **stream), table(dynamodb, "plain")
    load("aws.account", TABLES)
    described = """
        MATCH (:AWSAccount)-[:RESOURCE]->(t:DynamoDBTable)
        RETURN t.id, t.name, t.provisioned_throughput_write_capacity_units, t.region
    """
    assert found(graph, described) == {(orders, "orders", 2, REGION), (plain, "plain", 2, REGION)}
    assert found(graph, INDEXES) == {("orders", name, f"{orders}/index/{name}", 5) for name in ("by-day", "by-place")}
    streams = "MATCH (t:DynamoDBTable)-[:LATEST_STREAM]->(s:DynamoDBStream) RETURN t.name, s.stream_view_type"
    assert found(graph, streams) == {("orders", "KEYS_ONLY")}
    dynamodb.update_table(TableName="orders", GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by-day"}}])
    load(TABLES)
    assert {index for _, index, _, _ in found(graph, INDEXES)} == {"by-place"}


def test_an_index_without_an_arn_gets_the_one_it_will_have(
    client: Client, load: Load, graph: Graph, aws: AwsServer
) -> None:
    orders = table(client("dynamodb"), "orders", "by-day")
    aws.add(Fault(Effect.MALFORMED, service="dynamodb", action="DescribeTable", lacks="IndexArn"))
    load(TABLES)
    assert found(graph, INDEXES) == {("orders", "by-day", f"{orders}/index/by-day", 5)}


def test_a_table_that_is_deleted_meanwhile_does_not_affect_others(client: Client, fetch: Fetch, aws: AwsServer) -> None:
    for name in ("gone", "here"):
        table(client("dynamodb"), name)
    gone: dict[str, Any] = {"code": "ResourceNotFoundException", "status": 400, "param": '"gone"'}
    aws.add(Fault(Effect.ERROR, service="dynamodb", action="DescribeTable", **gone))
    items = {item.value["TableName"]: item for item in fetch(TABLES)}
    assert items["here"].failure is None
    assert items["gone"].failure
    assert items["gone"].failure.failure is Failure.NOT_FOUND


def test_a_cluster_has_its_security_groups_and_roles(client: Client, load: Load, graph: Graph) -> None:
    ec2, iam, redshift = client("ec2"), client("iam"), client("redshift")
    trust = {"Effect": "Allow", "Principal": {"Service": "redshift.amazonaws.com"}, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Statement": [trust]})
    role = iam.create_role(RoleName="loader", AssumeRolePolicyDocument=policy)["Role"]["Arn"]
    vpc = ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.1.1.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="dwh", Description="dwh", VpcId=vpc)["GroupId"]
    redshift.create_cluster_subnet_group(ClusterSubnetGroupName="dwh", Description="dwh", SubnetIds=[subnet])
    redshift.create_cluster(
        ClusterIdentifier="dwh",
        NodeType="ra3.large",
        MasterUsername="chief",
        MasterUserPassword="Not-a-real-1",
        ClusterSubnetGroupName="dwh",
        VpcSecurityGroupIds=[group],
        IamRoles=[role],
        PubliclyAccessible=True,
    )
    load("aws.account", "aws.iam.roles", "aws.ec2.security_groups", CLUSTERS)
    assert found(
        graph,
        """
        MATCH (:AWSAccount)-[:RESOURCE]->(cluster:RedshiftCluster)-[:MEMBER_OF_EC2_SECURITY_GROUP]->(group)
        MATCH (cluster)-[:STS_ASSUMEROLE_ALLOW]->(role:AWSRole)
        RETURN cluster.arn, cluster.publicly_accessible, cluster.master_username, group.id, role.arn
        """,
    ) == {(f"arn:aws:redshift:{REGION}:{ACCOUNT}:cluster:dwh", True, "chief", group, role)}
    said = "MATCH (cluster:RedshiftCluster) UNWIND keys(cluster) AS name RETURN toString(cluster[name])"
    assert not any("Not-a-real" in str(value) for (value,) in found(graph, said))
    redshift.delete_cluster(ClusterIdentifier="dwh", SkipFinalClusterSnapshot=True)
    load(CLUSTERS)
    assert found(graph, "MATCH (cluster:RedshiftCluster) RETURN cluster.id") == set()


TAGGED = "MATCH (thing)-[:TAGGED]->(tag:AWSTag:Tag) RETURN coalesce(thing.name, thing.instanceid), tag.key, tag.value"


def test_every_resource_with_an_arn_has_its_tags(client: Client, load: Load, graph: Graph) -> None:
    ec2, dynamodb = client("ec2"), client("dynamodb")
    image = ec2.register_image(Name="any")["ImageId"]
    instance = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    ec2.create_tags(Resources=[instance], Tags=[{"Key": "team", "Value": "data"}, {"Key": "a:b", "Value": "c"}])
    orders = table(dynamodb, "orders", Tags=[{"Key": "team", "Value": "data"}])
    load("aws.ec2.instances", TABLES, TAGS)
    assert found(graph, TAGGED) == {
        (instance, "team", "data"),
        (instance, "a:b", "c"),
        ("orders", "team", "data"),
    }
    assert len(graph.rows("MATCH (tag:AWSTag {key: 'team'}) RETURN tag")) == 1
    dynamodb.untag_resource(ResourceArn=orders, TagKeys=["team"])
    ec2.delete_tags(Resources=[instance], Tags=[{"Key": "a:b"}])
    load("aws.ec2.instances", TABLES, TAGS)
    assert found(graph, TAGGED) == {(instance, "team", "data")}
    assert found(graph, "MATCH (tag:AWSTag) RETURN tag.id") == {("team:data",)}
