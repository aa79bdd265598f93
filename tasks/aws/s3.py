"""S3 buckets, what their policies let anybody do, and their access control lists."""

from __future__ import annotations

import hashlib
from typing import Final

from loaders.model import Source, key, outgoing, parent, prop
from tasks.aws.api import listing
from tasks.aws.node import AWSNode
from tasks.aws.public_policy import anonymous_actions
from tasks.resource import Per, ResourceType


def bucket_arn(bucket: Source) -> str:
    return f"arn:{bucket.partition}:s3:::{bucket.item['Name']}"


def policy_anonymous_actions(bucket: Source) -> list[str] | None:
    """What the bucket's policy lets anybody do; [] without a policy, None where the policy could not be read."""
    answer = bucket.item["GetBucketPolicy"]
    if answer is None:
        return None
    return anonymous_actions(answer["Policy"], "s3") if answer else []


class S3Bucket(AWSNode, label="S3Bucket", tenant="AWSAccount", arn="s3"):
    arn: str = key(bucket_arn, "Its identity: one name may exist once in each partition.")
    id: str = prop("Name", index=True)
    name: str = prop("Name", index=True)
    creationdate: str | None = prop("CreationDate")
    policy_anonymous_actions: list[str] | None = prop(
        policy_anonymous_actions, "What its policy lets anybody do. None: the policy could not be read."
    )


BUCKETS: Final = ResourceType(
    "aws.s3.buckets",
    Per.TENANT,
    fetch=listing("s3:ListBuckets", gone_if="NoSuchBucket").then(
        "s3:GetBucketPolicy", Bucket="Name", none_if="NoSuchBucketPolicy", gap=True
    ),
    yields=(S3Bucket,),
    also=("s3",),
)


def grants(bucket: Source) -> list[dict[str, str | None]]:
    """The grants of a bucket's list, as the graph has them: to accounts (CanonicalUser) and to groups."""
    answer = bucket.item["GetBucketAcl"]
    owner = answer.get("Owner", {})
    return [
        {
            "owner": owner.get("DisplayName"),
            "ownerid": owner.get("ID"),
            "type": grant["Grantee"]["Type"],
            "displayname": grant["Grantee"].get("DisplayName"),
            "granteeid": grant["Grantee"].get("ID"),
            "uri": grant["Grantee"].get("URI"),
            "permission": grant["Permission"],
        }
        for grant in answer.get("Grants", [])
        if grant["Grantee"]["Type"] in ("CanonicalUser", "Group")
    ]


def acl_id(grant: Source) -> str:
    """The id of 2020: equal grants of an account's buckets are one node, which applies to each of them."""
    item = grant.item
    names = ("owner", "ownerid", "type", "displayname", "granteeid", "uri", "permission")
    text = ":".join((grant.scope.tenant, *(str(item[name]) for name in names)))
    return hashlib.sha256(text.encode()).hexdigest()


def bucket_arn_of_grant(grant: Source) -> str:
    return f"arn:{grant.partition}:s3:::{parent('Name')(grant)}"


class S3Acl(AWSNode, label="S3Acl"):
    id: str = key(acl_id)
    owner: str | None = prop("owner")
    ownerid: str | None = prop("ownerid")
    type: str = prop("type", "CanonicalUser or Group.")
    displayname: str | None = prop("displayname")
    granteeid: str | None = prop("granteeid", "None for a group.")
    uri: str | None = prop("uri", "Of the group. None for an account.")
    permission: str = prop("permission")
    relationships = (outgoing("APPLIES_TO", "S3Bucket", bucket_arn_of_grant),)


ACLS: Final = ResourceType(
    "aws.s3.acls",
    Per.TENANT,
    fetch=listing("s3:ListBuckets", gone_if="NoSuchBucket").then("s3:GetBucketAcl", Bucket="Name"),
    yields=(S3Acl.each(grants),),
    also=("s3",),
)
