"""EFS file systems, and whether they are encrypted."""

from __future__ import annotations

from typing import Final

from tasks.aws.vocabulary.encryption import encrypted_by
from tasks.aws.vocabulary.node import RegionalNode
from tasks.provider import Per, ResourceType, key, listing, prop


class EfsFileSystem(RegionalNode, label="EfsFileSystem", tenant="AWSAccount", arn="elasticfilesystem:file-system"):
    arn: str = key("FileSystemArn")
    id: str = prop("FileSystemId", index=True)
    name: str | None = prop("Name", "Its tag `Name`.")
    owner_id: str | None = prop("OwnerId")
    creation_token: str | None = prop("CreationToken")
    creation_time: str | None = prop("CreationTime")
    lifecycle_state: str | None = prop("LifeCycleState")
    encrypted: bool | None = prop("Encrypted")
    kms_key_id: str | None = prop("KmsKeyId", "None: not encrypted.")
    performance_mode: str | None = prop("PerformanceMode")
    throughput_mode: str | None = prop("ThroughputMode")
    number_of_mount_targets: int | None = prop("NumberOfMountTargets")
    size_in_bytes_value: int | None = prop("SizeInBytes.Value")
    size_in_bytes_timestamp: str | None = prop("SizeInBytes.Timestamp")
    availability_zone_id: str | None = prop("AvailabilityZoneId", "None: in all zones of the region.")
    availability_zone_name: str | None = prop("AvailabilityZoneName", "None: in all zones of the region.")
    file_system_protection: str | None = prop(
        "FileSystemProtection.ReplicationOverwriteProtection", "Whether it may be the target of a replication."
    )
    relationships = encrypted_by("KmsKeyId")


FILE_SYSTEMS: Final = ResourceType(
    "aws.efs.file_systems",
    Per.REGION,
    fetch=listing("efs:DescribeFileSystems"),
    yields=(EfsFileSystem,),
    aliases=("efs",),
)
