"""Access keys of IAM users, by their ids. AWS lists them per user only, and a user has two at most.

Its report of all credentials says when a key was last used, but not which key that is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from loaders.model import Source, at, incoming, key, parent, prop
from tasks.aws.vocabulary.node import AWSNode
from tasks.engine.listing import listing
from tasks.resource import Per, ResourceType


def used(name: str) -> Callable[[Source], Any]:
    def value(key: Source) -> Any:
        found = at(f"GetAccessKeyLastUsed.AccessKeyLastUsed.{name}", key.item)
        return None if found == "N/A" else found  # AWS's word for never

    value.__name__ = name
    return value


class AccountAccessKey(AWSNode, label="AccountAccessKey"):
    accesskeyid: str = key("AccessKeyId", "Its name, as AWS's logs have it; the secret is never given.")
    id: str = prop("AccessKeyId", "The same.")
    status: str | None = prop("Status", "Active, Inactive or Expired.")
    createdate: str | None = prop("CreateDate")
    lastuseddate: str | None = prop(used("LastUsedDate"), "None: never since April 2015, or it was not read.")
    lastusedservice: str | None = prop(used("ServiceName"), "The service that was called with it, as `s3`.")
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
        absent_codes="NoSuchEntity",  # deleted since
        gap=True,
    ),
    yields=(AccountAccessKey.each("ListAccessKeys.AccessKeyMetadata[]"),),
    aliases=("iam",),
)
