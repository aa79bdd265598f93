"""Applications, who has them, and where they send people back to."""

from __future__ import annotations

from typing import Final

from loaders.model import Node, Source, id_link, key, outgoing, prop
from tasks.listing import listing
from tasks.okta.api import GONE
from tasks.okta.times import okta_time
from tasks.resource import Per, ResourceType


class OktaApplication(Node, label="OktaApplication", tenant="OktaOrganization"):
    id: str = key("id")
    name: str | None = prop("name", "Of the kind of application: `amazon_aws`, `oidc_client`.", index=True)
    label: str | None = prop("label", "As people see it.")
    status: str | None = prop("status", "ACTIVE or INACTIVE.")
    sign_on_mode: str | None = prop("signOnMode", "SAML_2_0, OPENID_CONNECT, BOOKMARK, ...")
    features: list[str] | None = prop("features")
    created: str | None = prop(okta_time("created"))
    activated: str | None = prop(okta_time("activated"), "Okta's description of its API doesn't have it any more.")
    okta_last_updated: str | None = prop(okta_time("lastUpdated"))
    relationships = (
        outgoing("REPLYURI", "ReplyUri", "settings.oauthClient.redirect_uris[]"),
        id_link("APPLICATION", "OktaUser", "users[].id", incoming=True),
        id_link("APPLICATION", "OktaGroup", "groups[].id", incoming=True),
    )


def uri(reply: Source) -> str:
    found: str = reply.item
    return found


class ReplyUri(Node, label="ReplyUri", shared=True):
    id: str = key(uri)
    uri: str = prop(uri)


APPLICATIONS: Final = ResourceType(
    "okta.applications",
    Per.TENANT,
    fetch=listing("GET /api/v1/apps", limit=200, gone_if=GONE)
    .in_parts(50, by="id", again="GET /api/v1/apps/{id}")
    .then("GET /api/v1/apps/{id}/users", id="id", constants={"limit": 500}, keep=("id",))
    .then("GET /api/v1/apps/{id}/groups", id="id", constants={"limit": 200}, keep=("id",)),
    yields=(OktaApplication, ReplyUri.each("settings.oauthClient.redirect_uris[]")),
    also=("applications",),
)
