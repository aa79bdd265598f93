"""API tokens: who created them, from where they may be used, and when they expire. Okta never shows a token again."""

from __future__ import annotations

from typing import Final

from tasks.okta.times import okta_time
from tasks.provider import Node, Per, ResourceType, id_link, key, listing, prop


class OktaApiToken(Node, label="OktaApiToken", tenant="OktaOrganization"):
    """A token acts with the permissions of the user who created it."""

    id: str = key("id")
    name: str | None = prop("name", index=True)
    client_name: str | None = prop("clientName")
    user_id: str | None = prop("userId", "Who created it.", index=True)
    network_connection: str | None = prop(
        "network.connection", "ANYWHERE, or ZONE: only in, or outside of, certain network zones."
    )
    network_zones: list[str] | None = prop("network.include[]", "Ids of zones that it is limited to.")
    network_zones_excluded: list[str] | None = prop("network.exclude[]", "Ids of zones that it can't be used from.")
    created: str | None = prop(okta_time("created"))
    okta_last_updated: str | None = prop(okta_time("lastUpdated"))
    expires_at: str | None = prop(okta_time("expiresAt"), "30 days after it was last used.")
    relationships = (id_link("HAS_API_TOKEN", "OktaUser", "userId", incoming=True),)


API_TOKENS: Final = ResourceType(
    "okta.api_tokens", Per.TENANT, fetch=listing("GET /api/v1/api-tokens"), yields=(OktaApiToken,)
)
