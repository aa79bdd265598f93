"""EBS volumes, and what a region does with new ones."""

from __future__ import annotations

from typing import Final

from tasks.aws.vocabulary.arn import arn_at
from tasks.aws.vocabulary.encryption import encrypted_by
from tasks.aws.vocabulary.node import RegionalNode
from tasks.provider import Per, ResourceType, Source, id_link, key, listing, prop, scope_tenant

volume_arn = arn_at("ec2:volume/", "VolumeId")


def delete_on_termination(volume: Source) -> bool | None:
    """Whether it goes with an instance that it is attached to."""
    attachments = volume.item.get("Attachments") or ()
    return any(attachment.get("DeleteOnTermination") for attachment in attachments) if attachments else None


class EBSVolume(RegionalNode, label="EBSVolume", tenant="AWSAccount", arn="ec2:volume/{id}"):
    id: str = key("VolumeId")
    volumeid: str = prop("VolumeId", index=True)
    arn: str = prop(volume_arn, index=True)
    availabilityzone: str | None = prop("AvailabilityZone")
    createtime: str | None = prop("CreateTime")
    encrypted: bool | None = prop("Encrypted")
    kmskeyid: str | None = prop("KmsKeyId", "None: not encrypted.")
    size: int | None = prop("Size", "In GiB.")
    state: str | None = prop("State", "in-use, available, ...")
    type: str | None = prop("VolumeType")
    iops: int | None = prop("Iops")
    snapshotid: str | None = prop("SnapshotId", "The snapshot it was created from. '' or None: none.")
    outpostarn: str | None = prop("OutpostArn")
    fastrestored: bool | None = prop("FastRestored")
    multiattachenabled: bool | None = prop("MultiAttachEnabled", "Whether several instances may use it.")
    deleteontermination: bool | None = prop(
        delete_on_termination, "Whether it is deleted with the instance. None: not attached."
    )
    relationships = (
        id_link("ATTACHED_TO", "EC2Instance", "Attachments[].InstanceId"),
        id_link("CREATED_FROM", "EBSSnapshot", "SnapshotId", incoming=True),
        *encrypted_by("KmsKeyId"),
    )


VOLUMES: Final = ResourceType(
    "aws.ec2.volumes",
    Per.REGION,
    fetch=listing("ec2:DescribeVolumes"),
    yields=(EBSVolume,),
    aliases=("ec2:volumes",),
)


def settings_id(settings: Source) -> str | None:
    """Without the setting, None: that is no response."""
    return f"{settings.scope.tenant}|{settings.scope.region}" if "EbsEncryptionByDefault" in settings.item else None


class EBSSettings(RegionalNode, label="EBSSettings", tenant="AWSAccount"):
    """The settings of an account in a region: there is one for each."""

    id: str = key(settings_id, "Account and region.")
    account_id: str = prop(scope_tenant)
    encryption_by_default: bool = prop("EbsEncryptionByDefault", "Whether new volumes and copies are always encrypted.")
    default_kms_key_id: str | None = prop("GetEbsDefaultKmsKeyId.KmsKeyId", "ARN, id or alias.")
    snapshot_block_public_access: str | None = prop(
        "GetSnapshotBlockPublicAccessState.State",
        "block-all-sharing: no snapshot is public; block-new-sharing: those that are stay so; unblocked. None: could "
        "not be read.",
    )


SETTINGS: Final = ResourceType(
    "aws.ec2.ebs_settings",
    Per.REGION,
    fetch=listing("ec2:GetEbsEncryptionByDefault", items_path="")
    .detail("ec2:GetEbsDefaultKmsKeyId", gap=True)
    .detail("ec2:GetSnapshotBlockPublicAccessState", gap=True),
    yields=(EBSSettings,),
)
