"""Secrets of Secrets Manager: that they are there, who keeps them and how. Their values are never asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from loaders.model import Source, key, outgoing, parent, prop, scope_region
from tasks.aws.vocabulary.encryption import encrypted_by
from tasks.aws.vocabulary.node import AWSNode
from tasks.engine.listing import listing
from tasks.resource import Per, ResourceType


class SecretsManagerSecret(AWSNode, label="SecretsManagerSecret", tenant="AWSAccount", arn="secretsmanager:secret"):
    id: str = key("ARN")
    arn: str = prop("ARN", index=True)
    name: str | None = prop("Name", index=True)
    description: str | None = prop("Description")
    created_date: str | None = prop("CreatedDate")
    last_changed_date: str | None = prop("LastChangedDate")
    last_accessed_date: str | None = prop("LastAccessedDate", "To the day. None: never.")
    last_rotated_date: str | None = prop("LastRotatedDate", "None: never.")
    deleted_date: str | None = prop("DeletedDate", "It is to be deleted, since then. None: it isn't.")
    kms_key_id: str | None = prop("KmsKeyId", "As it was told. None: the key that AWS manages for secrets.")
    owning_service: str | None = prop("OwningService", "The service that made it and manages it.")
    primary_region: str | None = prop("PrimaryRegion", "Where it was made. None: it has no replica.")
    rotation_enabled: bool | None = prop("RotationEnabled", "None: it never was.")
    rotation_lambda_arn: str | None = prop("RotationLambdaARN")
    rotation_rules_automatically_after_days: int | None = prop("RotationRules.AutomaticallyAfterDays")
    region: str = prop(scope_region)
    relationships = encrypted_by("KmsKeyId")


def versions(secret: Source) -> Iterator[dict[str, Any]]:
    """The versions that have a stage, such as AWSCURRENT; the others are past."""
    for version, stages in (secret.item.get("SecretVersionsToStages") or {}).items():
        yield {"VersionId": version, "VersionStages": stages}


def version_arn(version: Source) -> str:
    return f"{parent('ARN')(version)}:version:{version.item['VersionId']}"


class SecretsManagerSecretVersion(AWSNode, label="SecretsManagerSecretVersion", tenant="AWSAccount", arn=None):
    id: str = key(version_arn)
    arn: str = prop(version_arn, index=True)
    version_id: str = prop("VersionId")
    version_stages: list[str] | None = prop("VersionStages")
    secret_id: str = prop(parent("ARN"), index=True)
    region: str = prop(scope_region)
    relationships = (outgoing("VERSION_OF", "SecretsManagerSecret", parent("ARN")),)


SECRETS: Final = ResourceType(
    "aws.secretsmanager.secrets",
    Per.REGION,
    fetch=listing("secretsmanager:ListSecrets", IncludePlannedDeletion=True),
    yields=(SecretsManagerSecret, SecretsManagerSecretVersion.each(versions)),
    aliases=("secretsmanager",),
)
