"""Applications, their users and groups, and where they redirect users to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from tasks.okta.api import GONE
from tasks.okta.times import okta_time
from tasks.provider import Node, Per, ResourceType, Source, at, id_link, key, listing, outgoing, prop

_PROVIDER: Final = re.compile(r":saml-provider/([^,\s]+)")


def saml_providers_of_aws(application: Source) -> list[str] | None:
    """Names of the SAML providers in AWS through which an application signs users in; None if it doesn't say."""
    settings = at("settings.app", application.item)
    if not isinstance(settings, Mapping):
        return None
    values = [settings.get(name) for name in ("identityProviderArn", "roleValuePattern")]
    names = [name for text in values if isinstance(text, str) for name in _PROVIDER.findall(text)]
    return sorted(set(names)) if names and not any("$" in name for name in names) else None


def access_policy(application: Source) -> str | None:
    """The id of the policy that says what it takes to open it: the end of the link to it."""
    link: str | None = at("_links.accessPolicy.href", application.item)
    return link.rpartition("/")[2] if link else None


class OktaApplication(Node, label="OktaApplication", tenant="OktaOrganization"):
    id: str = key("id")
    name: str | None = prop("name", "The kind of application: `amazon_aws`, `oidc_client`.", index=True)
    label: str | None = prop("label", "As users see it.")
    status: str | None = prop("status", "ACTIVE or INACTIVE.")
    sign_on_mode: str | None = prop("signOnMode", "SAML_2_0, OPENID_CONNECT, BOOKMARK, ...")
    features: list[str] | None = prop("features")
    created: str | None = prop(okta_time("created"))
    activated: str | None = prop(okta_time("activated"), "No longer in Okta's API description.")
    okta_last_updated: str | None = prop(okta_time("lastUpdated"))
    aws_saml_providers: list[str] | None = prop(
        saml_providers_of_aws,
        "SAML providers in AWS through which it signs users in, by name. None: not reported.",
    )
    relationships = (
        outgoing("REPLYURI", "ReplyUri", "settings.oauthClient.redirect_uris[]"),
        id_link("APPLICATION", "OktaUser", "users[].id", incoming=True),
        id_link("APPLICATION", "OktaGroup", "groups[].id", incoming=True),
        id_link("POLICY", "OktaPolicy", access_policy),
    )


def uri(reply: Source) -> str:
    value: str = reply.item
    return value


class ReplyUri(Node, label="ReplyUri", shared=True):
    id: str = key(uri)
    uri: str = prop(uri)


APPLICATIONS: Final = ResourceType(
    "okta.applications",
    Per.TENANT,
    fetch=listing("GET /api/v1/apps", limit=200, not_found_codes=GONE)
    .partition(50, key="id", refetch="GET /api/v1/apps/{id}")
    .detail("GET /api/v1/apps/{id}/users", id="id", constants={"limit": 500}, keep=("id",))
    .detail("GET /api/v1/apps/{id}/groups", id="id", constants={"limit": 200}, keep=("id",)),
    yields=(OktaApplication, ReplyUri.each("settings.oauthClient.redirect_uris[]")),
    aliases=("applications",),
)
