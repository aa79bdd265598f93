"""IAM groups, and the policies that their members get from them."""

from __future__ import annotations

from typing import Final

from loaders.model import constant, key, outgoing, prop
from tasks.aws.iam.policies import policies_of
from tasks.aws.principals import AWSPrincipal
from tasks.listing import listing
from tasks.resource import Per, ResourceType


class AWSGroup(AWSPrincipal, label="AWSGroup", tenant="AWSAccount", arn=None):
    arn: str = key("Arn")
    type: str = prop(constant("AWS"))
    groupid: str = prop("GroupId")
    name: str = prop("GroupName", index=True)
    path: str = prop("Path")
    createdate: str = prop("CreateDate")
    relationships = (outgoing("POLICY", "AWSPolicy", policies_of),)


GROUPS: Final = ResourceType(
    "aws.iam.groups",
    Per.TENANT,
    fetch=listing("iam:GetAccountAuthorizationDetails", items_at="GroupDetailList", Filter=["Group"]),
    yields=(AWSGroup,),
    also=("iam",),
)
