"""Access keys of IAM users, by their ids. AWS lists them per user only, and a user has two at most."""

from __future__ import annotations

from typing import Final

from loaders.model import incoming, key, parent, prop
from tasks.aws.api import listing
from tasks.aws.node import AWSNode
from tasks.resource import Per, ResourceType


class AccountAccessKey(AWSNode, label="AccountAccessKey"):
    accesskeyid: str = key("AccessKeyId", "Its name, as AWS's logs have it; the secret is never given.")
    status: str = prop("Status", "Active, Inactive or Expired.")
    createdate: str = prop("CreateDate")
    relationships = (incoming("AWS_ACCESS_KEY", "AWSUser", parent("Arn")),)


ACCESS_KEYS: Final = ResourceType(
    "aws.iam.access_keys",
    Per.TENANT,
    fetch=listing("iam:ListUsers", gone_if="NoSuchEntity").then("iam:ListAccessKeys", UserName="UserName"),
    yields=(AccountAccessKey.each("ListAccessKeys.AccessKeyMetadata[]"),),
    also=("iam",),
)
