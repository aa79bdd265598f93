"""RDS instances, clusters, subnet groups and snapshots.

The instances and clusters of Neptune and DocumentDB are listed by RDS as well; `engine` tells them apart.
"""

from __future__ import annotations

from typing import Final

from tasks.aws.vocabulary.arn import arn_at
from tasks.aws.vocabulary.encryption import encrypted_by
from tasks.aws.vocabulary.node import RegionalNode
from tasks.provider import Per, ResourceType, Source, at, id_link, key, link, listing, outgoing, prop


class RDSInstance(RegionalNode, label="RDSInstance", tenant="AWSAccount", arn="rds:db"):
    id: str = key("DBInstanceArn")
    arn: str = prop("DBInstanceArn", index=True)
    db_instance_identifier: str | None = prop("DBInstanceIdentifier", index=True)
    db_instance_class: str | None = prop("DBInstanceClass")
    engine: str | None = prop("Engine")
    engine_version: str | None = prop("EngineVersion")
    master_username: str | None = prop("MasterUsername")
    db_name: str | None = prop("DBName")
    instance_create_time: str | None = prop("InstanceCreateTime", "None while the instance is being created.")
    availability_zone: str | None = prop("AvailabilityZone")
    multi_az: bool | None = prop("MultiAZ")
    publicly_accessible: bool | None = prop(
        "PubliclyAccessible", "Whether it has a public address. None: not reported."
    )
    db_cluster_identifier: str | None = prop("DBClusterIdentifier")
    storage_encrypted: bool | None = prop("StorageEncrypted")
    kms_key_id: str | None = prop("KmsKeyId")
    dbi_resource_id: str | None = prop("DbiResourceId", index=True)
    ca_certificate_identifier: str | None = prop("CACertificateIdentifier")
    enhanced_monitoring_resource_arn: str | None = prop("EnhancedMonitoringResourceArn")
    monitoring_role_arn: str | None = prop("MonitoringRoleArn")
    performance_insights_enabled: bool | None = prop("PerformanceInsightsEnabled")
    performance_insights_kms_key_id: str | None = prop("PerformanceInsightsKMSKeyId")
    deletion_protection: bool | None = prop("DeletionProtection")
    preferred_backup_window: str | None = prop("PreferredBackupWindow", "In UTC.")
    latest_restorable_time: str | None = prop("LatestRestorableTime")
    preferred_maintenance_window: str | None = prop("PreferredMaintenanceWindow", "In UTC.")
    backup_retention_period: int | None = prop("BackupRetentionPeriod", "In days.")
    endpoint_address: str | None = prop("Endpoint.Address", "None while the instance is being created.")
    endpoint_hostedzoneid: str | None = prop("Endpoint.HostedZoneId")
    endpoint_port: int | None = prop("Endpoint.Port", "None while the instance is being created.")
    iam_database_authentication_enabled: bool | None = prop("IAMDatabaseAuthenticationEnabled")
    auto_minor_version_upgrade: bool | None = prop("AutoMinorVersionUpgrade")
    relationships = (
        outgoing("MEMBER_OF_EC2_SECURITY_GROUP", "EC2SecurityGroup", "VpcSecurityGroups[].VpcSecurityGroupId"),
        outgoing("MEMBER_OF_DB_SUBNET_GROUP", "DBSubnetGroup", arn_at("rds:subgrp", "DBSubnetGroup.DBSubnetGroupName")),
        id_link("IS_CLUSTER_MEMBER_OF", "RDSCluster", arn_at("rds:cluster", "DBClusterIdentifier")),
        # By name for a source in the same region, by ARN for one in another.
        id_link("IS_READ_REPLICA_OF", "RDSInstance", arn_at("rds:db", "ReadReplicaSourceDBInstanceIdentifier")),
        *encrypted_by("KmsKeyId"),
    )


INSTANCES: Final = ResourceType(
    "aws.rds.instances", Per.REGION, fetch=listing("rds:DescribeDBInstances"), yields=(RDSInstance,)
)


class DBSubnetGroup(RegionalNode, label="DBSubnetGroup", arn="rds:subgrp"):
    id: str = key("DBSubnetGroupArn")
    name: str | None = prop("DBSubnetGroupName", index=True)
    vpc_id: str | None = prop("VpcId")
    description: str | None = prop("DBSubnetGroupDescription")
    status: str | None = prop("SubnetGroupStatus")
    relationships = (outgoing("RESOURCE", "EC2Subnet", "Subnets[].SubnetIdentifier"),)


SUBNET_GROUPS: Final = ResourceType(
    "aws.rds.subnet_groups", Per.REGION, fetch=listing("rds:DescribeDBSubnetGroups"), yields=(DBSubnetGroup,)
)


class RDSCluster(RegionalNode, label="RDSCluster", tenant="AWSAccount", arn="rds:cluster"):
    id: str = key("DBClusterArn")
    arn: str = prop("DBClusterArn", index=True)
    db_cluster_identifier: str | None = prop("DBClusterIdentifier", index=True)
    db_cluster_resource_id: str | None = prop("DbClusterResourceId")
    status: str | None = prop("Status")
    engine: str | None = prop("Engine")
    engine_version: str | None = prop("EngineVersion")
    engine_mode: str | None = prop("EngineMode")
    database_name: str | None = prop("DatabaseName")
    master_username: str | None = prop("MasterUsername")
    cluster_create_time: str | None = prop("ClusterCreateTime")
    endpoint: str | None = prop("Endpoint", "None while the cluster is being created.")
    reader_endpoint: str | None = prop("ReaderEndpoint")
    hosted_zone_id: str | None = prop("HostedZoneId")
    port: int | None = prop("Port")
    multi_az: bool | None = prop("MultiAZ")
    availability_zones: list[str] | None = prop("AvailabilityZones[]")
    storage_encrypted: bool | None = prop("StorageEncrypted")
    kms_key_id: str | None = prop("KmsKeyId")
    allocated_storage: int | None = prop("AllocatedStorage", "In GiB; 1 for Aurora, whose storage grows automatically.")
    capacity: int | None = prop("Capacity", "Capacity of Aurora Serverless v1; 0 while paused.")
    scaling_configuration_info_min_capacity: int | None = prop("ScalingConfigurationInfo.MinCapacity")
    scaling_configuration_info_max_capacity: int | None = prop("ScalingConfigurationInfo.MaxCapacity")
    scaling_configuration_info_auto_pause: bool | None = prop("ScalingConfigurationInfo.AutoPause")
    character_set_name: str | None = prop("CharacterSetName")
    clone_group_id: str | None = prop("CloneGroupId", "Shared by clusters that are clones of each other.")
    db_parameter_group: str | None = prop("DBClusterParameterGroup")
    deletion_protection: bool | None = prop("DeletionProtection")
    backup_retention_period: int | None = prop("BackupRetentionPeriod", "In days.")
    preferred_backup_window: str | None = prop("PreferredBackupWindow", "In UTC.")
    preferred_maintenance_window: str | None = prop("PreferredMaintenanceWindow", "In UTC.")
    earliest_restorable_time: str | None = prop("EarliestRestorableTime")
    latest_restorable_time: str | None = prop("LatestRestorableTime")
    earliest_backtrack_time: str | None = prop("EarliestBacktrackTime")
    backtrack_window: int | None = prop("BacktrackWindow", "In seconds; 0: disabled.")
    backtrack_consumed_change_records: int | None = prop("BacktrackConsumedChangeRecords")


CLUSTERS: Final = ResourceType(
    "aws.rds.clusters", Per.REGION, fetch=listing("rds:DescribeDBClusters"), yields=(RDSCluster,)
)


def is_public(snapshot: Source) -> bool | None:
    """By its sharing attributes. Only manual snapshots can be shared."""
    if snapshot.item.get("SnapshotType") != "manual":
        return False
    attributes = at("DescribeDBSnapshotAttributes.DBSnapshotAttributesResult.DBSnapshotAttributes", snapshot.item)
    if attributes is None:
        return None
    return any(
        attribute.get("AttributeName") == "restore" and "all" in (attribute.get("AttributeValues") or ())
        for attribute in attributes
    )


class RDSSnapshot(RegionalNode, label="RDSSnapshot", tenant="AWSAccount", arn="rds:snapshot"):
    id: str = key("DBSnapshotArn")
    arn: str = prop("DBSnapshotArn", index=True)
    db_snapshot_identifier: str | None = prop("DBSnapshotIdentifier", index=True)
    db_instance_identifier: str | None = prop("DBInstanceIdentifier")
    dbi_resource_id: str | None = prop("DbiResourceId", "That of its instance. Unlike an identifier, never reused.")
    ispublic: bool | None = prop(is_public, "Whether every AWS account may restore it. None: could not be read.")
    snapshot_type: str | None = prop("SnapshotType")
    status: str | None = prop("Status")
    encrypted: bool | None = prop("Encrypted")
    kms_key_id: str | None = prop("KmsKeyId")
    engine: str | None = prop("Engine")
    engine_version: str | None = prop("EngineVersion")
    license_model: str | None = prop("LicenseModel")
    master_username: str | None = prop("MasterUsername")
    iam_database_authentication_enabled: bool | None = prop("IAMDatabaseAuthenticationEnabled")
    port: int | None = prop("Port")
    vpc_id: str | None = prop("VpcId")
    availability_zone: str | None = prop("AvailabilityZone")
    allocated_storage: int | None = prop("AllocatedStorage", "In GiB.")
    storage_type: str | None = prop("StorageType")
    storage_throughput: int | None = prop("StorageThroughput")
    iops: int | None = prop("Iops")
    instance_create_time: str | None = prop("InstanceCreateTime")
    snapshot_create_time: str | None = prop("SnapshotCreateTime", "None while it is being taken.")
    original_snapshot_create_time: str | None = prop(
        "OriginalSnapshotCreateTime", "When it was taken; of a copy, when the original was."
    )
    snapshot_database_time: str | None = prop("SnapshotDatabaseTime")
    percent_progress: int | None = prop("PercentProgress")
    option_group_name: str | None = prop("OptionGroupName")
    source_db_snapshot_identifier: str | None = prop("SourceDBSnapshotIdentifier", "The snapshot it was copied from.")
    source_region: str | None = prop("SourceRegion")
    snapshot_target: str | None = prop("SnapshotTarget")
    tde_credential_arn: str | None = prop("TdeCredentialArn")
    timezone: str | None = prop("Timezone")
    relationships = (link("IS_SNAPSHOT_SOURCE", "RDSInstance", on={"dbi_resource_id": "dbi_resource_id"}),)


SNAPSHOTS: Final = ResourceType(
    "aws.rds.snapshots",
    Per.REGION,
    fetch=listing("rds:DescribeDBSnapshots", not_found_codes="DBSnapshotNotFound").detail(
        "rds:DescribeDBSnapshotAttributes",
        DBSnapshotIdentifier="DBSnapshotIdentifier",
        only={"SnapshotType": "manual"},
        gap=True,
    ),
    yields=(RDSSnapshot,),
)
