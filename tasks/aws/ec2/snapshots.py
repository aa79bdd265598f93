"""EBS snapshots of the account, and whether they are public."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Final

from tasks.aws.vocabulary.encryption import encrypted_by
from tasks.aws.vocabulary.node import RegionalNode
from tasks.engine.responses import at_or_none
from tasks.provider import Item, Per, ResourceType, key, listing, prop

if TYPE_CHECKING:
    from tasks.aws.client.client import AwsApi

_DESCRIBE: Final = "ec2:DescribeSnapshots"
_OWN: Final = listing(_DESCRIBE, OwnerIds=["self"])
_PUBLIC: Final = listing(_DESCRIBE, OwnerIds=["self"], RestorableByUserIds=["all"])


@dataclass(frozen=True, slots=True)
class OwnSnapshots:
    """The account's snapshots; `IsPublic` says whether every AWS account may restore one.

    The public ones are listed by a call of their own: an account may have 100,000 snapshots in a region, and the
    permissions of one are a call for each.
    """

    calls: tuple[str, ...] = (_DESCRIBE,)
    made: ClassVar[Mapping[str, str]] = {_DESCRIBE: "1 per page, and 1 per page of the public ones"}

    def parts(self, api: AwsApi) -> None:
        return None

    async def items(self, api: AwsApi, part: str) -> AsyncIterator[Item]:
        public = {at_or_none("SnapshotId", item.value) async for item in _PUBLIC.items(api, part)}
        async for item in _OWN.items(api, part):
            if item.failure is None:
                yield replace(item, value={**item.value, "IsPublic": item.value.get("SnapshotId") in public})
            else:
                yield item


class EBSSnapshot(RegionalNode, label="EBSSnapshot", tenant="AWSAccount", arn="ec2:snapshot/{id}"):
    id: str = key("SnapshotId")
    snapshotid: str = prop("SnapshotId", index=True)
    ispublic: bool = prop("IsPublic", "Whether every AWS account may restore it, unless its region blocks that.")
    description: str | None = prop("Description")
    encrypted: bool | None = prop("Encrypted")
    kmskeyid: str | None = prop("KmsKeyId", "None: not encrypted.")
    dataencryptionkeyid: str | None = prop("DataEncryptionKeyId", "The same for all copies of one snapshot.")
    ownerid: str | None = prop("OwnerId")
    outpostarn: str | None = prop("OutpostArn")
    progress: str | None = prop("Progress", "In percent, as text.")
    starttime: str | None = prop("StartTime")
    state: str | None = prop("State", "pending, completed, error, recoverable or recovering.")
    statemessage: str | None = prop("StateMessage", "None unless it failed.")
    volumeid: str | None = prop("VolumeId", "The volume it was taken of, which may no longer exist.")
    volumesize: int | None = prop("VolumeSize", "In GiB.")
    relationships = encrypted_by("KmsKeyId")


SNAPSHOTS: Final = ResourceType(
    "aws.ec2.snapshots", Per.REGION, fetch=OwnSnapshots(), yields=(EBSSnapshot,), aliases=("ec2:snapshots",)
)
