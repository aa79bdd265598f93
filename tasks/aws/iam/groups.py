"""IAM groups, and the policies that they give to their members."""

from __future__ import annotations

from typing import Final

from tasks.aws.iam.policies import policies_of
from tasks.aws.vocabulary.principals import AWSPrincipal
from tasks.provider import Per, ResourceType, constant, key, listing, outgoing, prop


class AWSGroup(AWSPrincipal, label="AWSGroup", tenant="AWSAccount", arn=None):
    arn: str = key("Arn")
    id: str = prop("Arn")
    type: str = prop(constant("AWS"))
    groupid: str | None = prop("GroupId")
    name: str | None = prop("GroupName", index=True)
    path: str | None = prop("Path")
    createdate: str | None = prop("CreateDate")
    relationships = (outgoing("POLICY", "AWSPolicy", policies_of),)


GROUPS: Final = ResourceType(
    "aws.iam.groups",
    Per.TENANT,
    fetch=listing("iam:GetAccountAuthorizationDetails", items_path="GroupDetailList", Filter=["Group"]),
    yields=(AWSGroup,),
)
