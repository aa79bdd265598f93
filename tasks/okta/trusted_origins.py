"""Origins from which browsers may call the organization, or to which they may be redirected."""

from __future__ import annotations

from typing import Final

from tasks.provider import Node, Per, ResourceType, key, listing, prop


class OktaTrustedOrigin(Node, label="OktaTrustedOrigin", tenant="OktaOrganization"):
    id: str = key("id")
    name: str | None = prop("name")
    origin: str | None = prop("origin", index=True)
    scopes: list[str] | None = prop("scopes[].type", "CORS, REDIRECT, IFRAME_EMBED.")
    status: str | None = prop("status")
    created: str | None = prop("created")
    created_by: str | None = prop("createdBy")
    okta_last_updated: str | None = prop("lastUpdated")
    okta_last_updated_by: str | None = prop("lastUpdatedBy")


TRUSTED_ORIGINS: Final = ResourceType(
    "okta.trusted_origins",
    Per.TENANT,
    fetch=listing("GET /api/v1/trustedOrigins", limit=200),
    yields=(OktaTrustedOrigin,),
    aliases=("origins",),
)
