"""RDS from a simulated AWS to the graph: subnet groups, clusters, and who may restore snapshots."""

from __future__ import annotations

from typing import Any

import pytest

from loaders.graph import Graph
from tests.integration.estates.conftest import ACCOUNT, REGION, Client, Load, found
from tests.integration.estates.databases import SECRET, database
from tests.servers.aws import AwsServer, Effect, Fault


def test_subnet_groups_are_loaded_with_and_without_databases(client: Client, load: Load, graph: Graph) -> None:
    rds, subnets = client("rds"), [each["SubnetId"] for each in client("ec2").describe_subnets()["Subnets"]][:2]
    for name in ("private", "unused"):
        rds.create_db_subnet_group(DBSubnetGroupName=name, DBSubnetGroupDescription=name, SubnetIds=subnets)
    database(rds, "orders", DBSubnetGroupName="private")
    load("aws.rds.instances", "aws.rds.subnet_groups")
    members = (
        "MATCH (i:RDSInstance)-[:MEMBER_OF_DB_SUBNET_GROUP]->(g:DBSubnetGroup) RETURN i.db_instance_identifier, g.name"
    )
    assert found(graph, members) == {("orders", "private")}
    groups = "MATCH (g:DBSubnetGroup)-[:RESOURCE]->(s:EC2Subnet) RETURN g.name, s.subnetid"
    assert found(graph, groups) == {(name, subnet) for name in ("private", "unused") for subnet in subnets}


def test_a_database_is_a_member_of_its_cluster(client: Client, load: Load, graph: Graph) -> None:
    rds = client("rds")
    rds.create_db_cluster(
        DBClusterIdentifier="orders", Engine="aurora-mysql", MasterUsername="dbadmin", MasterUserPassword=SECRET
    )
    rds.create_db_instance(
        DBInstanceIdentifier="writer",
        DBClusterIdentifier="orders",
        DBInstanceClass="db.t3.medium",
        Engine="aurora-mysql",
    )
    load("aws.rds.clusters", "aws.rds.instances")
    members = "MATCH (:RDSInstance)-[:IS_CLUSTER_MEMBER_OF]->(c:RDSCluster) RETURN c.id"
    assert found(graph, members) == {(f"arn:aws:rds:{REGION}:{ACCOUNT}:cluster:orders",)}


@pytest.fixture
def snapshots(client: Client) -> Any:
    rds = client("rds")
    database(rds, "orders")
    for name, accounts in (("given-away", ["all"]), ("shared", ["444455556666"]), ("kept", [])):
        rds.create_db_snapshot(DBInstanceIdentifier="orders", DBSnapshotIdentifier=name)
        if accounts:
            rds.modify_db_snapshot_attribute(DBSnapshotIdentifier=name, AttributeName="restore", ValuesToAdd=accounts)
    return rds


PUBLIC = "MATCH (s:RDSSnapshot {snapshot_type: 'manual'}) RETURN s.db_snapshot_identifier, s.ispublic"


@pytest.mark.usefixtures("snapshots")
def test_a_snapshot_that_every_account_may_restore_is_public(load: Load, graph: Graph, aws: AwsServer) -> None:
    load("aws.rds.snapshots", "aws.rds.instances")
    assert found(graph, PUBLIC) == {("given-away", True), ("shared", False), ("kept", False)}
    assert aws.calls().count("rds", "DescribeDBSnapshotAttributes") == 3, "for manual snapshots only"
    taken = "MATCH (s:RDSSnapshot)-[:IS_SNAPSHOT_SOURCE]->(i:RDSInstance) RETURN s.db_snapshot_identifier"
    assert {("given-away",), ("shared",), ("kept",)} <= found(graph, taken)


@pytest.mark.usefixtures("snapshots")
def test_sharing_of_a_snapshot_is_not_known_if_denied(load: Load, graph: Graph, aws: AwsServer) -> None:
    aws.add(Fault(Effect.DENY, service="rds", action="DescribeDBSnapshotAttributes", param="given-away"))
    load("aws.rds.snapshots")
    assert found(graph, PUBLIC) == {("given-away", None), ("shared", False), ("kept", False)}
