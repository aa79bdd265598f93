"""Instance profiles: they give EC2 instances a role."""

from __future__ import annotations

from typing import Final

from tasks.aws.vocabulary.node import AWSNode
from tasks.provider import Per, ResourceType, id_link, key, listing, prop


class AWSInstanceProfile(AWSNode, label="AWSInstanceProfile", tenant="AWSAccount", arn="iam:instance-profile"):
    id: str = key("Arn")
    arn: str = prop("Arn", index=True)
    instance_profile_id: str | None = prop("InstanceProfileId")
    instance_profile_name: str | None = prop("InstanceProfileName", index=True)
    path: str | None = prop("Path")
    createdate: str | None = prop("CreateDate")
    relationships = (id_link("ASSOCIATED_WITH", "AWSRole", "Roles[].Arn"),)


INSTANCE_PROFILES: Final = ResourceType(
    "aws.iam.instance_profiles",
    Per.TENANT,
    fetch=listing("iam:ListInstanceProfiles"),
    yields=(AWSInstanceProfile,),
    aliases=("iaminstanceprofiles",),
)
