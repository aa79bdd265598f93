"""Authenticators that the organization has set up: what users may sign in with. Their keys are not stored."""

from __future__ import annotations

from typing import Final

from tasks.okta.times import okta_time
from tasks.provider import Node, Per, ResourceType, key, listing, prop


class OktaAuthenticator(Node, label="OktaAuthenticator", tenant="OktaOrganization"):
    id: str = key("id")
    key: str | None = prop("key", "okta_verify, webauthn, smart_card_idp, phone_number, ...", index=True)
    name: str | None = prop("name")
    type: str | None = prop("type", "app, security_key, phone, password, ...")
    status: str | None = prop("status", "ACTIVE or INACTIVE.")
    allowed_for: str | None = prop("settings.allowedFor", "sso, recovery, any, or none.")
    fips: str | None = prop("settings.compliance.fips", "Of Okta Verify. REQUIRED: on compliant devices only.")
    user_verification: str | None = prop("settings.userVerification", "Biometrics, or a PIN.")
    created: str | None = prop(okta_time("created"))
    okta_last_updated: str | None = prop(okta_time("lastUpdated"))


AUTHENTICATORS: Final = ResourceType(
    "okta.authenticators", Per.TENANT, fetch=listing("GET /api/v1/authenticators"), yields=(OktaAuthenticator,)
)
