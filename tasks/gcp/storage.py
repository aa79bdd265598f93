"""Buckets, their labels, and who may read them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from tasks.gcp.kinds import PROJECT
from tasks.provider import Node, Per, ResourceType, Source, elements, key, listing, outgoing, prop

EVERYONE: Final = {"allUsers", "allAuthenticatedUsers"}  # everybody, and everybody with a Google account


def acl_public(bucket: Source) -> bool | None:
    """Whether its ACL admits everybody; None if it wasn't read, or an entry doesn't say whom it admits."""
    response = bucket.item["bucketAccessControls"]
    if response is None:
        return None
    entities = [one.get("entity") if one else None for one in elements(response.get("items"))]
    return True if EVERYONE & {*entities} else None if None in entities else False


def iam_public_roles(bucket: Source) -> list[str] | None:
    """The roles that its policy grants to everybody, on any condition; None if it wasn't read, or isn't readable."""
    policy = bucket.item["getIamPolicy"]
    if policy is None:
        return None
    bindings = elements(policy.get("bindings"))
    public = {one.get("role") for one in bindings if one and EVERYONE & {*elements(one.get("members"))}}
    unread = any(not one or not one.get("role") for one in bindings)
    return None if unread and not public - {None} else sorted(role for role in public if role)


def project_number(bucket: Source) -> str | None:
    found = bucket.item.get("projectNumber")
    return None if found is None else str(found)


def retention_period(bucket: Source) -> int | None:
    """Seconds."""
    found = (bucket.item.get("retentionPolicy") or {}).get("retentionPeriod")
    return None if found is None else int(found)


def meta_generation(bucket: Source) -> int | None:
    found = bucket.item.get("metageneration")
    return None if found is None else int(found)


def labels(bucket: Source) -> Iterator[Mapping[str, str]]:
    for name, value in (bucket.item.get("labels") or {}).items():
        yield {"id": f"GCPBucket_{name}:{value}", "key": name, "value": value}


def label_ids(bucket: Source) -> list[str]:
    return [label["id"] for label in labels(bucket)]


class GCPBucket(Node, label="GCPBucket", tenant="GCPProject"):
    id: str = key("id")
    bucket_id: str = prop("id")
    self_link: str = prop("selfLink")
    project_number: str | None = prop(project_number)
    kind: str | None = prop("kind")
    location: str | None = prop("location")
    location_type: str | None = prop("locationType")
    meta_generation: int | None = prop(meta_generation)
    storage_class: str | None = prop("storageClass")
    time_created: str | None = prop("timeCreated")
    retention_period: int | None = prop(retention_period, "Seconds.")
    retention_locked: bool | None = prop(
        "retentionPolicy.isLocked", "Whether the period can't be shortened any more. None: no."
    )
    iam_config_bucket_policy_only: bool | None = prop(
        "iamConfiguration.bucketPolicyOnly.enabled", "Uniform bucket-level access: whether ACLs are ignored."
    )
    iam_config_public_access_prevention: str | None = prop(
        "iamConfiguration.publicAccessPrevention", "enforced: whatever ACL and policy say, nobody else gets in."
    )
    acl_public: bool | None = prop(acl_public, "Whether its ACL admits everybody. None: not read.")
    iam_public_roles: list[str] | None = prop(
        iam_public_roles, "Roles that its policy grants to everybody. None: not read."
    )
    owner_entity: str | None = prop("owner.entity")
    owner_entity_id: str | None = prop("owner.entityId")
    versioning_enabled: bool | None = prop("versioning.enabled")
    log_bucket: str | None = prop("logging.logBucket")
    requester_pays: bool | None = prop("billing.requesterPays")
    default_kms_key_name: str | None = prop("encryption.defaultKmsKeyName")
    relationships = (outgoing("LABELED", "GCPBucketLabel", label_ids),)


class GCPBucketLabel(Node, label="GCPBucketLabel", labels=("Label",), shared=True):
    id: str = key("id", "GCPBucket_<key>:<value>")
    key: str = prop("key", index=True)
    value: str = prop("value")


BUCKETS: Final = ResourceType(
    "gcp.storage.buckets",
    Per.TENANT,
    fetch=listing("storage:buckets.list", maxResults=500, projection="noAcl", not_found_codes="notFound")
    .detail("storage:buckets.getIamPolicy", bucket="name", constants={"optionsRequestedPolicyVersion": 3}, gap=True)
    .detail("storage:bucketAccessControls.list", bucket="name", absent_codes="invalid", gap=True),
    yields=(GCPBucket, GCPBucketLabel.each(labels)),
    aliases=("storage",),
    tenant_kind=PROJECT,
)
