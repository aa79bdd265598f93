"""KMS keys, what their policies let anybody do, and their aliases."""

from __future__ import annotations

from typing import Final

from analysis.iam.resource_policy import Verdict
from loaders.model import Source, id_link, key, prop, scope_region
from tasks.aws.vocabulary.node import AWSNode
from tasks.aws.vocabulary.public_policy import actions, anonymous_of, resource
from tasks.engine.listing import listing
from tasks.resource import Per, ResourceType


def _by_policy(kms_key: Source) -> Verdict:
    return anonymous_of(kms_key.item["GetKeyPolicy"], resource("kms", kms_key.item["KeyArn"]))


def policy_anonymous_actions(kms_key: Source) -> list[str] | None:
    """What the key's policy lets anybody do; None where that isn't known."""
    return actions(_by_policy(kms_key))


def policy_not_known(kms_key: Source) -> str | None:
    return _by_policy(kms_key).reason


def anonymous_access(kms_key: Source) -> bool | None:
    found = policy_anonymous_actions(kms_key)
    return None if found is None else bool(found)


class KMSKey(AWSNode, label="KMSKey", tenant="AWSAccount", arn="kms:key"):
    arn: str = key("KeyArn", "Its identity: the replicas of a key in other regions have the same id.")
    id: str | None = prop("KeyId", index=True)
    key_id: str | None = prop("KeyId", index=True)
    description: str | None = prop("DescribeKey.KeyMetadata.Description")
    enabled: bool | None = prop("DescribeKey.KeyMetadata.Enabled", "None: the key could not be described.")
    key_state: str | None = prop("DescribeKey.KeyMetadata.KeyState")
    key_manager: str | None = prop("DescribeKey.KeyMetadata.KeyManager", "AWS or CUSTOMER.")
    key_usage: str | None = prop("DescribeKey.KeyMetadata.KeyUsage")
    customer_master_key_spec: str | None = prop("DescribeKey.KeyMetadata.CustomerMasterKeySpec")
    origin: str | None = prop("DescribeKey.KeyMetadata.Origin", "Who made the key material.")
    creation_date: str | None = prop("DescribeKey.KeyMetadata.CreationDate")
    deletion_date: str | None = prop("DescribeKey.KeyMetadata.DeletionDate", "None: it is not to be deleted.")
    valid_to: str | None = prop("DescribeKey.KeyMetadata.ValidTo", "When imported key material expires.")
    expiration_model: str | None = prop("DescribeKey.KeyMetadata.ExpirationModel", "Of imported key material.")
    custom_key_store_id: str | None = prop("DescribeKey.KeyMetadata.CustomKeyStoreId")
    cloud_hsm_cluster_id: str | None = prop("DescribeKey.KeyMetadata.CloudHsmClusterId")
    encryption_algorithms: list[str] | None = prop("DescribeKey.KeyMetadata.EncryptionAlgorithms")
    signing_algorithms: list[str] | None = prop("DescribeKey.KeyMetadata.SigningAlgorithms")
    anonymous_access: bool | None = prop(
        anonymous_access, "Its policy lets anybody use it. None: not known, for the reason in policy_not_known."
    )
    anonymous_actions: list[str] | None = prop(
        policy_anonymous_actions,
        "What its policy lets anybody do. None: not known, for the reason in policy_not_known.",
    )
    policy_not_known: str | None = prop(policy_not_known, "Why it isn't known what its policy lets anybody do.")
    region: str = prop(scope_region)


KEYS: Final = ResourceType(
    "aws.kms.keys",
    Per.REGION,
    # A key's own policy may keep out who may describe every other key: the key is there all the same.
    fetch=listing("kms:ListKeys", not_found_codes="NotFoundException")
    .detail("kms:DescribeKey", KeyId="KeyArn", gap=True)
    .detail("kms:GetKeyPolicy", KeyId="KeyArn", constants={"PolicyName": "default"}, gap=True),
    yields=(KMSKey,),
    aliases=("kms",),
)


def target_key_arn(alias: Source) -> str | None:
    """An alias and its key are of the same account and region. None: AWS's own alias, whose key isn't made yet."""
    target = alias.item.get("TargetKeyId")
    return target and f"{alias.item['AliasArn'].partition(':alias/')[0]}:key/{target}"


class KMSAlias(AWSNode, label="KMSAlias", tenant="AWSAccount", arn=None):
    id: str = key("AliasArn")
    arn: str = prop("AliasArn", index=True)
    alias_name: str | None = prop("AliasName", index=True)
    target_key_id: str | None = prop("TargetKeyId", "None: AWS's own alias, whose key isn't made yet.")
    creation_date: str | None = prop("CreationDate")
    last_updated_date: str | None = prop("LastUpdatedDate")
    region: str = prop(scope_region)
    relationships = (id_link("KNOWN_AS", "KMSKey", target_key_arn),)


ALIASES: Final = ResourceType(
    "aws.kms.aliases",
    Per.REGION,
    fetch=listing("kms:ListAliases"),
    yields=(KMSAlias,),
    aliases=("kms",),
)
