"""S3 buckets: what their policies let anybody do, what blocks that, how they are kept, their access control lists."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from analysis.iam.resource_policy import Verdict
from loaders.model import Source, at, incoming, key, outgoing, parent, prop
from tasks.aws.vocabulary.encryption import encrypted_by
from tasks.aws.vocabulary.node import AWSNode
from tasks.aws.vocabulary.policy_document import listed, sid_in_id, statements
from tasks.aws.vocabulary.public_policy import actions, anonymous_of, resource
from tasks.engine.listing import listing
from tasks.resource import Per, ResourceType


def bucket_arn(bucket: Source) -> str:
    return f"arn:{bucket.partition}:s3:::{bucket.item['Name']}"


def _by_policy(bucket: Source) -> Verdict:
    of = resource("s3", bucket_arn(bucket), inside="/", account=bucket.scope.tenant)
    return anonymous_of(bucket.item["GetBucketPolicy"], of)


def policy_anonymous_actions(bucket: Source) -> list[str] | None:
    """What the bucket's policy lets anybody do; [] without a policy, None where that isn't known."""
    return actions(_by_policy(bucket))


def policy_not_known(bucket: Source) -> str | None:
    return _by_policy(bucket).reason


def of(operation: str, path: str, default: Any) -> Callable[[Source], Any]:
    """What a detail says at a path; the default where it says nothing there, None where it could not be read."""

    def value(bucket: Source) -> Any:
        response = bucket.item[operation]
        if response is None:
            return None
        found = at(path, response)
        if isinstance(found, list):  # one rule is all that S3 allows
            found = found[0] if found else None
        return default if found is None else found

    value.__name__ = f"{operation}_{path}"
    return value


_BLOCK: Final = "PublicAccessBlockConfiguration"
_RULE: Final = "ServerSideEncryptionConfiguration.Rules[]"
_DEFAULT: Final = f"{_RULE}.ApplyServerSideEncryptionByDefault"


def encrypts(bucket: Source) -> bool | None:
    algorithm = of("GetBucketEncryption", f"{_DEFAULT}.SSEAlgorithm", "")(bucket)
    return None if algorithm is None else bool(algorithm)


def logs(bucket: Source) -> bool | None:
    target = of("GetBucketLogging", "LoggingEnabled.TargetBucket", "")(bucket)
    return None if target is None else bool(target)


class S3Bucket(AWSNode, label="S3Bucket", tenant="AWSAccount", arn="s3"):
    """What could not be read is None; what a bucket hasn't got has a value of its own, except where said."""

    arn: str = key(bucket_arn, "Its identity: one name may exist once in each partition.")
    id: str = prop("Name", index=True)
    name: str = prop("Name", index=True)
    region: str | None = prop("BucketRegion", index=True)
    creationdate: str | None = prop("CreationDate")
    policy_anonymous_actions: list[str] | None = prop(
        policy_anonymous_actions,
        "What its policy lets anybody do. None: not known, for the reason in policy_not_known.",
    )
    policy_not_known: str | None = prop(policy_not_known, "Why it isn't known what its policy lets anybody do.")
    block_public_acls: bool | None = prop(of("GetPublicAccessBlock", f"{_BLOCK}.BlockPublicAcls", False))
    ignore_public_acls: bool | None = prop(
        of("GetPublicAccessBlock", f"{_BLOCK}.IgnorePublicAcls", False), "What its ACLs give to everybody is void."
    )
    block_public_policy: bool | None = prop(of("GetPublicAccessBlock", f"{_BLOCK}.BlockPublicPolicy", False))
    restrict_public_buckets: bool | None = prop(
        of("GetPublicAccessBlock", f"{_BLOCK}.RestrictPublicBuckets", False),
        "A policy that opens it to everybody is for its own account only.",
    )
    object_ownership: str | None = prop(
        of("GetBucketOwnershipControls", "OwnershipControls.Rules[].ObjectOwnership", "ObjectWriter"),
        "BucketOwnerEnforced: ACLs are void. ObjectWriter also where it has no setting: that is what holds then.",
    )
    default_encryption: bool | None = prop(encrypts)
    encryption_algorithm: str | None = prop(
        of("GetBucketEncryption", f"{_DEFAULT}.SSEAlgorithm", None), "AES256, aws:kms or aws:kms:dsse. None also: none."
    )
    encryption_key_id: str | None = prop(
        of("GetBucketEncryption", f"{_DEFAULT}.KMSMasterKeyID", None),
        "ARN, id or alias. None also: none of its own, so the AWS managed key where the algorithm is one of KMS.",
    )
    bucket_key_enabled: bool | None = prop(of("GetBucketEncryption", f"{_RULE}.BucketKeyEnabled", False))
    versioning_status: str | None = prop(
        of("GetBucketVersioning", "Status", "Disabled"), "Enabled, Suspended, or Disabled where it never was on."
    )
    mfa_delete: str | None = prop(of("GetBucketVersioning", "MFADelete", "Disabled"), "Enabled or Disabled.")
    logging_enabled: bool | None = prop(logs)
    logging_target_bucket: str | None = prop(
        of("GetBucketLogging", "LoggingEnabled.TargetBucket", None), "None also where nothing is logged."
    )
    relationships = encrypted_by(f"GetBucketEncryption.{_DEFAULT}.KMSMasterKeyID", region="BucketRegion")


# Of what a page of buckets says, the region comes only where a page is asked for.
_LIST: Final = listing("s3:ListBuckets", not_found_codes="NoSuchBucket", MaxBuckets=1000)

BUCKETS: Final = ResourceType(
    "aws.s3.buckets",
    Per.TENANT,
    fetch=_LIST.detail("s3:GetBucketPolicy", Bucket="Name", absent_codes="NoSuchBucketPolicy", gap=True)
    .detail("s3:GetPublicAccessBlock", Bucket="Name", absent_codes="NoSuchPublicAccessBlockConfiguration", gap=True)
    .detail("s3:GetBucketOwnershipControls", Bucket="Name", absent_codes="OwnershipControlsNotFoundError", gap=True)
    .detail(
        "s3:GetBucketEncryption", Bucket="Name", absent_codes="ServerSideEncryptionConfigurationNotFoundError", gap=True
    )
    .detail("s3:GetBucketVersioning", Bucket="Name", gap=True)
    .detail("s3:GetBucketLogging", Bucket="Name", gap=True),
    yields=(S3Bucket,),
    aliases=("s3",),
)


def policy_statements(bucket: Source) -> Iterator[Mapping[str, Any]]:
    if response := bucket.item["GetBucketPolicy"]:
        document = json.loads(response["Policy"])
        for number, statement in enumerate(statements(document), start=1):
            yield {**statement, "number": number, "policy_id": document.get("Id"), "version": document.get("Version")}


def statement_id(statement: Source) -> str:
    """The name of the bucket is unique in its partition, the number in its policy. A Sid needn't be there."""
    item = statement.item
    return f"{parent('Name')(statement)}/policy_statement/{item['number']}/{sid_in_id(str(item.get('Sid') or ''))}"


def as_list(element: str) -> Callable[[Source], list[str] | None]:
    def value(statement: Source) -> list[str] | None:
        return listed(statement.item[element]) if element in statement.item else None

    value.__name__ = element
    return value


def as_json(element: str) -> Callable[[Source], str | None]:
    def value(statement: Source) -> str | None:
        return json.dumps(statement.item[element]) if element in statement.item else None

    value.__name__ = element
    return value


class S3PolicyStatement(AWSNode, label="S3PolicyStatement", tenant="AWSAccount"):
    id: str = key(statement_id)
    bucket: str = prop(parent("Name"), index=True)
    policy_id: str | None = prop("policy_id")
    policy_version: str | None = prop("version")
    sid: str | None = prop("Sid")
    effect: str = prop("Effect", "Allow or Deny.")
    principal: str | None = prop(as_json("Principal"), "JSON text. None: it has NotPrincipal.")
    notprincipal: str | None = prop(as_json("NotPrincipal"), "JSON text.")
    action: list[str] | None = prop(as_list("Action"), "None: it has NotAction.")
    notaction: list[str] | None = prop(as_list("NotAction"))
    resource: list[str] | None = prop(as_list("Resource"), "None: it has NotResource.")
    notresource: list[str] | None = prop(as_list("NotResource"))
    condition: str | None = prop(as_json("Condition"), "JSON text. None: it always holds.")
    relationships = (incoming("POLICY_STATEMENT", "S3Bucket", lambda s: f"arn:{s.partition}:s3:::{parent('Name')(s)}"),)


POLICY_STATEMENTS: Final = ResourceType(
    "aws.s3.policy_statements",
    Per.TENANT,
    # The policies once more: no gap here, since what could not be read must not read as no statement.
    fetch=_LIST.detail("s3:GetBucketPolicy", Bucket="Name", absent_codes="NoSuchBucketPolicy"),
    yields=(S3PolicyStatement.each(policy_statements),),
    aliases=("s3",),
)


def of_account(name: str) -> Callable[[Source], bool]:
    """False without a block: then nothing is blocked for the account as a whole."""

    def value(account: Source) -> bool:
        return bool(at(f"GetPublicAccessBlock.{_BLOCK}.{name}", account.item))

    value.__name__ = name
    return value


class S3AccountPublicAccessBlock(AWSNode, label="S3AccountPublicAccessBlock", tenant="AWSAccount"):
    """What is blocked for every bucket of an account, whatever the bucket's own block says."""

    id: str = key("Account", "The account's number.")
    account_id: str = prop("Account")
    block_public_acls: bool = prop(of_account("BlockPublicAcls"))
    ignore_public_acls: bool = prop(of_account("IgnorePublicAcls"))
    block_public_policy: bool = prop(of_account("BlockPublicPolicy"))
    restrict_public_buckets: bool = prop(of_account("RestrictPublicBuckets"))


ACCOUNT_PUBLIC_ACCESS_BLOCK: Final = ResourceType(
    "aws.s3.account_public_access_block",
    Per.TENANT,
    fetch=listing("sts:GetCallerIdentity", items_path="").detail(
        "s3control:GetPublicAccessBlock", AccountId="Account", absent_codes="NoSuchPublicAccessBlockConfiguration"
    ),
    yields=(S3AccountPublicAccessBlock,),
    aliases=("s3", "s3accountpublicaccessblock"),
)


def grants(bucket: Source) -> list[dict[str, str | None]]:
    """The grants of a bucket's list, as the graph has them: to accounts (CanonicalUser) and to groups."""
    response = bucket.item["GetBucketAcl"]
    owner = response.get("Owner", {})
    return [
        {
            "owner": owner.get("DisplayName"),
            "ownerid": owner.get("ID"),
            "type": grantee["Type"],
            "displayname": grantee.get("DisplayName"),
            "granteeid": grantee.get("ID"),
            "uri": grantee.get("URI"),
            "permission": grant.get("Permission"),
        }
        for grant in response.get("Grants") or ()
        if (grantee := grant.get("Grantee") or {}).get("Type") in ("CanonicalUser", "Group")
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
    fetch=_LIST.detail("s3:GetBucketAcl", Bucket="Name"),
    yields=(S3Acl.each(grants),),
    aliases=("s3",),
)
