"""RDS instances and their subnet groups."""

from __future__ import annotations

from typing import Final

from loaders.model import Source, id_link, incoming, key, outgoing, parent, prop, scope_region
from tasks.aws.api import listing
from tasks.aws.node import AWSNode
from tasks.resource import Per, ResourceType


def sibling_arn(instance_arn: str, kind: str, name: str) -> str:
    """ARN of what the answer gives by name only: same partition, region and account as the instance."""
    return f"{instance_arn.rpartition(':db:')[0]}:{kind}:{name}"


def subnet_group_arn(group: Source) -> str:
    return sibling_arn(parent("DBInstanceArn")(group), "subgrp", group.item["DBSubnetGroupName"])


def replica_source_arn(instance: Source) -> str | None:
    """RDS gives an identifier for a source in the same region, an ARN for one in another."""
    name: str | None = instance.item.get("ReadReplicaSourceDBInstanceIdentifier")
    return name if name is None or name.startswith("arn:") else sibling_arn(instance.item["DBInstanceArn"], "db", name)


class RDSInstance(AWSNode, label="RDSInstance", tenant="AWSAccount", arn="rds:db"):
    id: str = key("DBInstanceArn")
    arn: str = prop("DBInstanceArn", index=True)
    db_instance_identifier: str = prop("DBInstanceIdentifier", index=True)
    db_instance_class: str | None = prop("DBInstanceClass")
    engine: str | None = prop("Engine")
    engine_version: str | None = prop("EngineVersion")
    master_username: str | None = prop("MasterUsername")
    db_name: str | None = prop("DBName")
    instance_create_time: str | None = prop("InstanceCreateTime", "None while the instance is being created.")
    availability_zone: str | None = prop("AvailabilityZone")
    multi_az: bool | None = prop("MultiAZ")
    publicly_accessible: bool | None = prop("PubliclyAccessible", "Has a public address. None: RDS did not say.")
    db_cluster_identifier: str | None = prop("DBClusterIdentifier")
    storage_encrypted: bool | None = prop("StorageEncrypted")
    kms_key_id: str | None = prop("KmsKeyId")
    dbi_resource_id: str | None = prop("DbiResourceId")
    ca_certificate_identifier: str | None = prop("CACertificateIdentifier")
    enhanced_monitoring_resource_arn: str | None = prop("EnhancedMonitoringResourceArn")
    monitoring_role_arn: str | None = prop("MonitoringRoleArn")
    performance_insights_enabled: bool | None = prop("PerformanceInsightsEnabled")
    performance_insights_kms_key_id: str | None = prop("PerformanceInsightsKMSKeyId")
    region: str = prop(scope_region)
    deletion_protection: bool | None = prop("DeletionProtection")
    preferred_backup_window: str | None = prop("PreferredBackupWindow", "UTC.")
    latest_restorable_time: str | None = prop("LatestRestorableTime")
    preferred_maintenance_window: str | None = prop("PreferredMaintenanceWindow", "UTC.")
    backup_retention_period: int | None = prop("BackupRetentionPeriod", "Days.")
    endpoint_address: str | None = prop("Endpoint.Address", "None while the instance is being created.")
    endpoint_hostedzoneid: str | None = prop("Endpoint.HostedZoneId")
    endpoint_port: int | None = prop("Endpoint.Port", "None while the instance is being created.")
    iam_database_authentication_enabled: bool | None = prop("IAMDatabaseAuthenticationEnabled")
    auto_minor_version_upgrade: bool | None = prop("AutoMinorVersionUpgrade")
    relationships = (
        outgoing("MEMBER_OF_EC2_SECURITY_GROUP", "EC2SecurityGroup", "VpcSecurityGroups[].VpcSecurityGroupId"),
        id_link("IS_READ_REPLICA_OF", "RDSInstance", replica_source_arn),
    )


class DBSubnetGroup(AWSNode, label="DBSubnetGroup", arn="rds:subgrp"):
    id: str = key(subnet_group_arn)
    name: str = prop("DBSubnetGroupName")
    vpc_id: str | None = prop("VpcId")
    description: str | None = prop("DBSubnetGroupDescription")
    status: str | None = prop("SubnetGroupStatus")
    relationships = (
        incoming("MEMBER_OF_DB_SUBNET_GROUP", "RDSInstance", parent("DBInstanceArn")),
        outgoing("RESOURCE", "EC2Subnet", "Subnets[].SubnetIdentifier"),
    )


INSTANCES: Final = ResourceType(
    "aws.rds.instances",
    Per.REGION,
    fetch=listing("rds:DescribeDBInstances"),
    yields=(RDSInstance, DBSubnetGroup.each("DBSubnetGroup")),
    also=("rds",),
)
