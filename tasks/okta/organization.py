"""The organization, to which everything else belongs."""

from __future__ import annotations

from typing import Final

from tasks.provider import Node, Per, ResourceType, key, link_through, listing, prop, scope_tenant


class OktaOrganization(Node, label="OktaOrganization"):
    id: str = key(scope_tenant, "As okta_org_id names it.")
    name: str = prop(scope_tenant)
    okta_id: str | None = prop("id", "The id that Okta gave it.", index=True)
    company_name: str | None = prop("companyName")
    status: str | None = prop("status")
    relationships = (
        link_through("SyncOktaRole", "_ROLE", "RESOURCE", "OktaAdministrationRole", on={"id": "organization"}),
    )


ORGANIZATION: Final = ResourceType(
    "okta.organization",
    Per.TENANT,
    fetch=listing("GET /api/v1/org", items_path=""),
    yields=(OktaOrganization,),
    aliases=("organization",),
)
