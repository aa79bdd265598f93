"""Key rings of Cloud KMS, their keys, how often these are rotated, and who may use them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tasks.gcp.kinds import PROJECT
from tasks.gcp.storage import EVERYONE
from tasks.provider import Node, Per, ResourceType, Source, elements, incoming, key, listing, parent, prop, scope_tenant

_LOCATIONS: Final = "cloudkms:projects.locations"
_RINGS: Final = f"{_LOCATIONS}.keyRings"
_KEYS: Final = f"{_RINGS}.cryptoKeys"


def name(resource: Source) -> str | None:
    full: str | None = resource.item.get("name")
    return full.rpartition("/")[2] if full else None


def location(ring: Source) -> str | None:
    full: str = ring.item.get("name") or ""
    return full.partition("/locations/")[2].partition("/")[0] or None


def public_roles(resource: Source) -> list[str] | None:
    """The roles that its policy grants to everybody, on any condition; None if it wasn't read."""
    policy: Mapping[str, Any] | None = resource.item.get("getIamPolicy")
    if policy is None:
        return None
    bindings = [binding for binding in elements(policy.get("bindings")) if binding]
    granted = [binding.get("role") for binding in bindings if EVERYONE & {*elements(binding.get("members"))}]
    return sorted({role for role in granted if role})


def period_seconds(crypto_key: Source) -> int | None:
    """`7776000s` -> 7776000"""
    period = crypto_key.item.get("rotationPeriod")
    return int(float(period.removesuffix("s"))) if period else None


class GCPKeyRing(Node, label="GCPKeyRing", tenant="GCPProject"):
    id: str = key("name", "projects/<project>/locations/<location>/keyRings/<name>")
    name: str = prop(name, index=True)
    location: str = prop(location)
    project_id: str = prop(scope_tenant)
    iam_public_roles: list[str] | None = prop(
        public_roles, "Roles that its policy grants to everybody, on all of its keys. None: not read."
    )


class GCPCryptoKey(Node, label="GCPCryptoKey", labels=("EncryptionKey",), tenant="GCPProject"):
    id: str = key("name", "<key ring>/cryptoKeys/<name>")
    name: str = prop(name, index=True)
    key_ring_id: str = prop(parent("name"))
    purpose: str | None = prop("purpose", "ENCRYPT_DECRYPT: the only keys that KMS rotates by itself.")
    state: str | None = prop("primary.state", "Of the primary version. None: it has none.")
    rotation_period: str | None = prop("rotationPeriod", "`7776000s`. None: it isn't rotated by itself.")
    rotation_period_seconds: int | None = prop(period_seconds, "None: it isn't rotated by itself.")
    next_rotation_time: str | None = prop("nextRotationTime")
    protection_level: str | None = prop("versionTemplate.protectionLevel", "SOFTWARE, HSM, EXTERNAL, ...")
    iam_public_roles: list[str] | None = prop(
        public_roles, "Roles that its own policy grants to everybody. None: not read."
    )
    relationships = (incoming("CONTAINS", "GCPKeyRing", parent("name")),)


KEYS: Final = ResourceType(
    "gcp.kms.keys",
    Per.TENANT,
    fetch=listing(f"{_LOCATIONS}.list", name="projects/{project}", pageSize=500, not_found_codes="NOT_FOUND")
    .detail(f"{_RINGS}.list", parent="name")
    .detail(f"{_RINGS}.getIamPolicy", resource="name", each="keyRings.keyRings[]", gap=True)
    .detail(f"{_KEYS}.list", parent="name", each="keyRings.keyRings[]")
    .detail(f"{_KEYS}.getIamPolicy", resource="name", each="keyRings.keyRings[].cryptoKeys.cryptoKeys[]", gap=True),
    yields=(
        GCPKeyRing.each("keyRings.keyRings[]"),
        GCPCryptoKey.each("keyRings.keyRings[].cryptoKeys.cryptoKeys[]"),
    ),
    aliases=("kms",),
    tenant_kind=PROJECT,
)
