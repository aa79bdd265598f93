"""Groups and their members. The names of some groups stand for AWS roles that their members may assume."""

from __future__ import annotations

from typing import Final

from tasks.okta import saml
from tasks.okta.api import GONE
from tasks.provider import Node, Per, ResourceType, id_link, key, link_through, listing, prop


class OktaGroup(Node, label="OktaGroup", tenant="OktaOrganization"):
    id: str = key("id")
    name: str | None = prop("profile.name", index=True)
    description: str | None = prop("profile.description")
    type: str | None = prop("type", "OKTA_GROUP, APP_GROUP: from a directory, BUILT_IN: everyone.")
    sam_account_name: str | None = prop("profile.samAccountName")
    dn: str | None = prop("profile.dn")
    windows_domain_qualified_name: str | None = prop("profile.windowsDomainQualifiedName")
    external_id: str | None = prop("profile.externalId")
    aws_role_name: str | None = prop(saml.role_name, "The AWS role that its name stands for, by okta_saml_role_regex.")
    aws_account_id: str | None = prop(saml.account_id, "The account of that role.")
    relationships = (
        id_link("MEMBER_OF_OKTA_GROUP", "OktaUser", "users[].id", incoming=True),
        link_through("SyncOktaRole", "_ROLE", "MEMBER_OF_OKTA_ROLE", "OktaAdministrationRole", on={"id": "assignee"}),
    )


GROUPS: Final = ResourceType(
    "okta.groups",
    Per.TENANT,
    fetch=listing("GET /api/v1/groups", limit=1000, not_found_codes=GONE)
    .partition(50, key="id", refetch="GET /api/v1/groups/{id}")
    .detail("GET /api/v1/groups/{id}/users", id="id", constants={"limit": 1000}, keep=("id",)),
    yields=(OktaGroup,),
    aliases=("groups",),
)
