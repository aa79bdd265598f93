"""Secrets in Secrets Manager: their names, rotation and encryption. Their values are never read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from tasks.aws.vocabulary.encryption import encrypted_by
from tasks.aws.vocabulary.node import RegionalNode
from tasks.provider import Per, ResourceType, Source, key, listing, outgoing, parent, prop


class SecretsManagerSecret(
    RegionalNode, label="SecretsManagerSecret", tenant="AWSAccount", arn="secretsmanager:secret"
):
    id: str = key("ARN")
    arn: str = prop("ARN", index=True)
    name: str | None = prop("Name", index=True)
    description: str | None = prop("Description")
    created_date: str | None = prop("CreatedDate")
    last_changed_date: str | None = prop("LastChangedDate")
    last_accessed_date: str | None = prop("LastAccessedDate", "Precise to the day. None: never.")
    last_rotated_date: str | None = prop("LastRotatedDate", "None: never.")
    deleted_date: str | None = prop("DeletedDate", "When its deletion was scheduled. None: not scheduled for deletion.")
    kms_key_id: str | None = prop("KmsKeyId", "As configured. None: the key that AWS manages for secrets.")
    owning_service: str | None = prop("OwningService", "The service that created and manages it.")
    primary_region: str | None = prop("PrimaryRegion", "Where it was created. None: not replicated.")
    rotation_enabled: bool | None = prop("RotationEnabled", "Whether rotation is enabled. None: it never was.")
    rotation_lambda_arn: str | None = prop("RotationLambdaARN")
    rotation_rules_automatically_after_days: int | None = prop("RotationRules.AutomaticallyAfterDays")
    relationships = encrypted_by("KmsKeyId")


def versions(secret: Source) -> Iterator[dict[str, Any]]:
    """The versions with a staging label, such as AWSCURRENT; versions without one are deprecated."""
    for version, stages in (secret.item.get("SecretVersionsToStages") or {}).items():
        yield {"VersionId": version, "VersionStages": stages}


def version_arn(version: Source) -> str:
    return f"{parent('ARN')(version)}:version:{version.item['VersionId']}"


class SecretsManagerSecretVersion(RegionalNode, label="SecretsManagerSecretVersion", tenant="AWSAccount", arn=None):
    id: str = key(version_arn)
    arn: str = prop(version_arn, index=True)
    version_id: str = prop("VersionId")
    version_stages: list[str] | None = prop("VersionStages")
    secret_id: str = prop(parent("ARN"), index=True)
    relationships = (outgoing("VERSION_OF", "SecretsManagerSecret", parent("ARN")),)


SECRETS: Final = ResourceType(
    "aws.secretsmanager.secrets",
    Per.REGION,
    fetch=listing("secretsmanager:ListSecrets", IncludePlannedDeletion=True),
    yields=(SecretsManagerSecret, SecretsManagerSecretVersion.each(versions)),
)
