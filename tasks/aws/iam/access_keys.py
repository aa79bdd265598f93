"""Access keys of IAM users. AWS lists them per user only; a user has at most two.

The credential report has when a key was last used, but not the id of the key.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from tasks.aws.vocabulary.node import AWSNode
from tasks.provider import Per, ResourceType, Source, at, incoming, key, listing, parent, prop


def used(name: str) -> Callable[[Source], Any]:
    def last_used(key: Source) -> Any:
        value = at(f"GetAccessKeyLastUsed.AccessKeyLastUsed.{name}", key.item)
        return None if value == "N/A" else value  # never used

    last_used.__name__ = name
    return last_used


class AccountAccessKey(AWSNode, label="AccountAccessKey"):
    accesskeyid: str = key("AccessKeyId", "As in AWS logs. The secret key is never readable.")
    id: str = prop("AccessKeyId", "Same as accesskeyid.")
    status: str | None = prop("Status", "Active, Inactive or Expired.")
    createdate: str | None = prop("CreateDate")
    lastuseddate: str | None = prop(used("LastUsedDate"), "None: not since April 2015, or not known.")
    lastusedservice: str | None = prop(used("ServiceName"), "The service that was called, such as `s3`.")
    lastusedregion: str | None = prop(used("Region"))
    relationships = (incoming("AWS_ACCESS_KEY", "AWSUser", parent("Arn")),)


ACCESS_KEYS: Final = ResourceType(
    "aws.iam.access_keys",
    Per.TENANT,
    fetch=listing("iam:ListUsers", not_found_codes="NoSuchEntity")
    .detail("iam:ListAccessKeys", UserName="UserName")
    .detail(
        "iam:GetAccessKeyLastUsed",
        each="ListAccessKeys.AccessKeyMetadata[]",
        AccessKeyId="AccessKeyId",
        absent_codes="NoSuchEntity",  # deleted in the meantime
        gap=True,
    ),
    yields=(AccountAccessKey.each("ListAccessKeys.AccessKeyMetadata[]"),),
)
