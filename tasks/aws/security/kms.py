"""KMS keys, what their policies allow anybody to do, and their aliases."""

from __future__ import annotations

from typing import Final

from tasks.aws.vocabulary.arn import arn_at
from tasks.aws.vocabulary.node import RegionalNode
from tasks.aws.vocabulary.public_policy import ANONYMOUS_ACTIONS, NOT_KNOWN, PublicPolicy, resource, verdict_on_response
from tasks.provider import Per, ResourceType, id_link, key, listing, prop

_POLICY: Final = PublicPolicy(
    lambda kms_key: verdict_on_response(kms_key.item["GetKeyPolicy"], resource("kms", kms_key.item["KeyArn"]))
)


class KMSKey(RegionalNode, label="KMSKey", tenant="AWSAccount", arn="kms:key"):
    arn: str = key("KeyArn", "The key: replicas in other regions share the id.")
    id: str | None = prop("KeyId", index=True)
    key_id: str | None = prop("KeyId", index=True)
    description: str | None = prop("DescribeKey.KeyMetadata.Description")
    enabled: bool | None = prop("DescribeKey.KeyMetadata.Enabled", "None: the key could not be described.")
    key_state: str | None = prop("DescribeKey.KeyMetadata.KeyState")
    key_manager: str | None = prop("DescribeKey.KeyMetadata.KeyManager", "AWS or CUSTOMER.")
    key_usage: str | None = prop("DescribeKey.KeyMetadata.KeyUsage")
    customer_master_key_spec: str | None = prop("DescribeKey.KeyMetadata.CustomerMasterKeySpec")
    origin: str | None = prop("DescribeKey.KeyMetadata.Origin", "The source of the key material.")
    creation_date: str | None = prop("DescribeKey.KeyMetadata.CreationDate")
    deletion_date: str | None = prop("DescribeKey.KeyMetadata.DeletionDate", "None: not scheduled for deletion.")
    valid_to: str | None = prop("DescribeKey.KeyMetadata.ValidTo", "When imported key material expires.")
    expiration_model: str | None = prop(
        "DescribeKey.KeyMetadata.ExpirationModel", "Whether imported key material expires."
    )
    custom_key_store_id: str | None = prop("DescribeKey.KeyMetadata.CustomKeyStoreId")
    cloud_hsm_cluster_id: str | None = prop("DescribeKey.KeyMetadata.CloudHsmClusterId")
    encryption_algorithms: list[str] | None = prop("DescribeKey.KeyMetadata.EncryptionAlgorithms")
    signing_algorithms: list[str] | None = prop("DescribeKey.KeyMetadata.SigningAlgorithms")
    key_rotation_enabled: bool | None = prop(
        "GetKeyRotationStatus.KeyRotationEnabled",
        "Of enabled symmetric keys that the account made, with material of KMS. None: any other, or could not be read.",
    )
    anonymous_access: bool | None = prop(
        _POLICY.anonymous_access, "Whether its policy allows anybody to use it. None: not known, see policy_not_known."
    )
    anonymous_actions: list[str] | None = prop(_POLICY.anonymous_actions, ANONYMOUS_ACTIONS)
    policy_not_known: str | None = prop(_POLICY.not_known, NOT_KNOWN)


# The keys that may be rotated automatically. AWS rotates its own.
_ROTATES: Final = {
    "DescribeKey.KeyMetadata.KeyManager": "CUSTOMER",
    "DescribeKey.KeyMetadata.KeySpec": "SYMMETRIC_DEFAULT",
    "DescribeKey.KeyMetadata.KeyState": "Enabled",
    "DescribeKey.KeyMetadata.Origin": "AWS_KMS",
}

KEYS: Final = ResourceType(
    "aws.kms.keys",
    Per.REGION,
    # A key's own policy may deny access to principals that may describe every other key: the key exists all the same.
    fetch=listing("kms:ListKeys", not_found_codes="NotFoundException")
    .detail("kms:DescribeKey", KeyId="KeyArn", gap=True)
    .detail("kms:GetKeyPolicy", KeyId="KeyArn", constants={"PolicyName": "default"}, gap=True)
    .detail("kms:GetKeyRotationStatus", KeyId="KeyArn", only=_ROTATES, gap=True),
    yields=(KMSKey,),
)


class KMSAlias(RegionalNode, label="KMSAlias", tenant="AWSAccount", arn=None):
    id: str = key("AliasArn")
    arn: str = prop("AliasArn", index=True)
    alias_name: str | None = prop("AliasName", index=True)
    target_key_id: str | None = prop("TargetKeyId", "None: an alias of AWS whose key does not exist yet.")
    creation_date: str | None = prop("CreationDate")
    last_updated_date: str | None = prop("LastUpdatedDate")
    relationships = (id_link("KNOWN_AS", "KMSKey", arn_at("kms:key/", "TargetKeyId")),)


ALIASES: Final = ResourceType("aws.kms.aliases", Per.REGION, fetch=listing("kms:ListAliases"), yields=(KMSAlias,))
