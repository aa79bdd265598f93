"""S3 buckets: policies and what they allow anybody to do, public access blocks, encryption, access control lists."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from analysis.iam.resource_policy import Verdict
from loaders.scope import GLOBAL
from tasks.aws.vocabulary.arn import arn_at, arn_of
from tasks.aws.vocabulary.encryption import encrypted_by
from tasks.aws.vocabulary.node import AWSNode
from tasks.aws.vocabulary.policy_document import element_list, sid_in_id, statements
from tasks.aws.vocabulary.public_policy import ANONYMOUS_ACTIONS, NOT_KNOWN, PublicPolicy, resource, verdict_on_response
from tasks.provider import Per, ResourceType, Source, at, incoming, key, listing, outgoing, parent, prop

bucket_arn = arn_at("s3", "Name")
bucket_arn_of_child = arn_at("s3", parent("Name"))


def _verdict(bucket: Source) -> Verdict:
    arn = arn_of(f"s3:{bucket.item['Name']}", bucket.partition, GLOBAL, bucket.scope.tenant)
    return verdict_on_response(
        bucket.item["GetBucketPolicy"], resource("s3", arn, separator="/", account=bucket.scope.tenant)
    )


_POLICY: Final = PublicPolicy(_verdict)


def of(operation: str, path: str, default: Any) -> Callable[[Source], Any]:
    """The value at a path of a detail; the default where it is absent, None where the detail could not be read."""

    def value(bucket: Source) -> Any:
        response = bucket.item[operation]
        if response is None:
            return None
        setting = at(path, response)
        if isinstance(setting, list):  # S3 allows one rule only
            setting = setting[0] if setting else None
        return default if setting is None else setting

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
    """None where a setting could not be read; a bucket without the setting has a value, except where noted."""

    arn: str = key(bucket_arn, "The key: each partition has bucket names of its own.")
    id: str = prop("Name", index=True)
    name: str = prop("Name", index=True)
    region: str | None = prop("BucketRegion", index=True)
    creationdate: str | None = prop("CreationDate")
    policy_anonymous_actions: list[str] | None = prop(_POLICY.anonymous_actions, ANONYMOUS_ACTIONS)
    policy_not_known: str | None = prop(_POLICY.not_known, NOT_KNOWN)
    block_public_acls: bool | None = prop(of("GetPublicAccessBlock", f"{_BLOCK}.BlockPublicAcls", False))
    ignore_public_acls: bool | None = prop(
        of("GetPublicAccessBlock", f"{_BLOCK}.IgnorePublicAcls", False), "Whether public grants in ACLs are ignored."
    )
    block_public_policy: bool | None = prop(of("GetPublicAccessBlock", f"{_BLOCK}.BlockPublicPolicy", False))
    restrict_public_buckets: bool | None = prop(
        of("GetPublicAccessBlock", f"{_BLOCK}.RestrictPublicBuckets", False),
        "Whether a public policy applies to its own account only.",
    )
    object_ownership: str | None = prop(
        of("GetBucketOwnershipControls", "OwnershipControls.Rules[].ObjectOwnership", "ObjectWriter"),
        "BucketOwnerEnforced: ACLs are disabled. ObjectWriter is also the value without a setting, as in AWS.",
    )
    default_encryption: bool | None = prop(encrypts)
    encryption_algorithm: str | None = prop(
        of("GetBucketEncryption", f"{_DEFAULT}.SSEAlgorithm", None),
        "AES256, aws:kms or aws:kms:dsse. Also None without default encryption.",
    )
    encryption_key_id: str | None = prop(
        of("GetBucketEncryption", f"{_DEFAULT}.KMSMasterKeyID", None),
        "ARN, id or alias. Also None if no key is set: a KMS algorithm then uses the AWS managed key.",
    )
    bucket_key_enabled: bool | None = prop(of("GetBucketEncryption", f"{_RULE}.BucketKeyEnabled", False))
    versioning_status: str | None = prop(
        of("GetBucketVersioning", "Status", "Disabled"), "Enabled, Suspended, or Disabled if it was never enabled."
    )
    mfa_delete: str | None = prop(of("GetBucketVersioning", "MFADelete", "Disabled"), "Enabled or Disabled.")
    logging_enabled: bool | None = prop(logs)
    logging_target_bucket: str | None = prop(
        of("GetBucketLogging", "LoggingEnabled.TargetBucket", None), "Also None without logging."
    )
    relationships = encrypted_by(f"GetBucketEncryption.{_DEFAULT}.KMSMasterKeyID", region="BucketRegion")


# The response has the regions of buckets only if the request has a page size.
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
)


def policy_statements(bucket: Source) -> Iterator[Mapping[str, Any]]:
    if response := bucket.item["GetBucketPolicy"]:
        document = json.loads(response["Policy"])
        for number, statement in enumerate(statements(document), start=1):
            yield {**statement, "number": number, "policy_id": document.get("Id"), "version": document.get("Version")}


def statement_id(statement: Source) -> str:
    """The bucket's name is unique in its partition, the number in its policy. A Sid is optional."""
    item = statement.item
    return f"{parent('Name')(statement)}/policy_statement/{item['number']}/{sid_in_id(str(item.get('Sid') or ''))}"


def as_list(element: str) -> Callable[[Source], list[str] | None]:
    def value(statement: Source) -> list[str] | None:
        return element_list(statement.item, element)

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
    principal: str | None = prop(as_json("Principal"), "JSON. None: it has NotPrincipal.")
    notprincipal: str | None = prop(as_json("NotPrincipal"), "JSON.")
    action: list[str] | None = prop(as_list("Action"), "None: it has NotAction.")
    notaction: list[str] | None = prop(as_list("NotAction"))
    resource: list[str] | None = prop(as_list("Resource"), "None: it has NotResource.")
    notresource: list[str] | None = prop(as_list("NotResource"))
    condition: str | None = prop(as_json("Condition"), "JSON. None: unconditional.")
    relationships = (incoming("POLICY_STATEMENT", "S3Bucket", bucket_arn_of_child),)


POLICY_STATEMENTS: Final = ResourceType(
    "aws.s3.policy_statements",
    Per.TENANT,
    # The policies again, without gap=True: a policy that could not be read must not count as one without statements.
    fetch=_LIST.detail("s3:GetBucketPolicy", Bucket="Name", absent_codes="NoSuchBucketPolicy"),
    yields=(S3PolicyStatement.each(policy_statements),),
)


def of_account(name: str) -> Callable[[Source], bool]:
    """Also False if the account has no public access block."""

    def value(account: Source) -> bool:
        return bool(at(f"GetPublicAccessBlock.{_BLOCK}.{name}", account.item))

    value.__name__ = name
    return value


class S3AccountPublicAccessBlock(AWSNode, label="S3AccountPublicAccessBlock", tenant="AWSAccount"):
    """The public access block of an account: applies to all of its buckets, in addition to their own."""

    id: str = key("Account", "The account number.")
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
    aliases=("s3accountpublicaccessblock",),
)


def grants(bucket: Source) -> list[dict[str, str | None]]:
    """The grants of a bucket's access control list, to accounts (CanonicalUser) and to groups."""
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
    """The id of 2020: equal grants of an account's buckets are one node, which applies to each of the buckets."""
    item = grant.item
    names = ("owner", "ownerid", "type", "displayname", "granteeid", "uri", "permission")
    text = ":".join((grant.scope.tenant, *(str(item[name]) for name in names)))
    return hashlib.sha256(text.encode()).hexdigest()


class S3Acl(AWSNode, label="S3Acl"):
    id: str = key(acl_id)
    owner: str | None = prop("owner")
    ownerid: str | None = prop("ownerid")
    type: str = prop("type", "CanonicalUser or Group.")
    displayname: str | None = prop("displayname")
    granteeid: str | None = prop("granteeid", "None for a group.")
    uri: str | None = prop("uri", "The group. None for an account.")
    permission: str = prop("permission")
    relationships = (outgoing("APPLIES_TO", "S3Bucket", bucket_arn_of_child),)


ACLS: Final = ResourceType(
    "aws.s3.acls", Per.TENANT, fetch=_LIST.detail("s3:GetBucketAcl", Bucket="Name"), yields=(S3Acl.each(grants),)
)
