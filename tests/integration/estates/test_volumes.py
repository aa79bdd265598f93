"""EBS volumes, snapshots and settings from a simulated AWS to the graph."""

from __future__ import annotations

from loaders.graph import Graph
from tests.integration.estates.conftest import REGION, Client, Load, found

ZONE = f"{REGION}a"


def test_a_volume_is_attached_to_an_instance_and_made_from_a_snapshot(client: Client, load: Load, graph: Graph) -> None:
    ec2 = client("ec2")
    first = ec2.create_volume(AvailabilityZone=ZONE, Size=1)["VolumeId"]
    snapshot = ec2.create_snapshot(VolumeId=first)["SnapshotId"]
    copy = ec2.create_volume(AvailabilityZone=ZONE, SnapshotId=snapshot, Encrypted=True)["VolumeId"]
    [instance] = ec2.run_instances(ImageId="ami-1", MinCount=1, MaxCount=1)["Instances"]
    ec2.attach_volume(VolumeId=copy, InstanceId=instance["InstanceId"], Device="/dev/sdf")
    load("aws.ec2.instances", "aws.ec2.volumes", "aws.ec2.snapshots")
    attached = (
        "MATCH (:EBSSnapshot)-[:CREATED_FROM]->(v:EBSVolume)-[:ATTACHED_TO]->(i:EC2Instance) "
        "RETURN v.id, v.encrypted, i.id"
    )
    assert found(graph, attached) == {(copy, True, instance["InstanceId"])}
    assert found(graph, f"MATCH (v:EBSVolume {{id: '{first}'}}) RETURN v.encrypted, v.deleteontermination") == {
        (False, None)
    }


def test_a_snapshot_is_public_if_everybody_may_restore_it(client: Client, load: Load, graph: Graph) -> None:
    ec2 = client("ec2")
    volume = ec2.create_volume(AvailabilityZone=ZONE, Size=1)["VolumeId"]
    public, shared = (ec2.create_snapshot(VolumeId=volume)["SnapshotId"] for _ in range(2))
    grant = {"Attribute": "createVolumePermission", "OperationType": "add"}
    ec2.modify_snapshot_attribute(SnapshotId=public, GroupNames=["all"], **grant)
    ec2.modify_snapshot_attribute(SnapshotId=shared, UserIds=["444455556666"], **grant)
    load("aws.ec2.snapshots")
    assert found(graph, "MATCH (s:AWSEBSSnapshot) RETURN s.id, s.ispublic") == {(public, True), (shared, False)}


def test_encryption_by_default_is_said_of_each_region(client: Client, load: Load, graph: Graph) -> None:
    client("ec2", "us-east-1").enable_ebs_encryption_by_default()
    load("aws.ec2.ebs_settings", regions=(REGION, "us-east-1"))
    settings = (
        "MATCH (:AWSAccount)-[:RESOURCE]->(s:EBSSettings) RETURN s.region, s.encryption_by_default, "
        "s.snapshot_block_public_access"
    )
    assert found(graph, settings) == {(REGION, False, "unblocked"), ("us-east-1", True, "unblocked")}
