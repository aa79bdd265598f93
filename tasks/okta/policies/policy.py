"""What policies of every type have in common, and their rules.

Okta evaluates policies by priority, and takes the first that applies to a user; of its rules it takes the first whose
conditions hold. The default policy and the default rule apply where no other does.
"""

from __future__ import annotations

from tasks.okta.api import GONE
from tasks.okta.times import okta_time
from tasks.provider import Listing, Node, id_link, incoming, key, listing, parent, prop


def policies_with_rules(type_: str) -> Listing:
    """The policies of a type; Okta has no list of all."""
    return listing("GET /api/v1/policies", type=type_, not_found_codes=GONE).detail(
        "GET /api/v1/policies/{id}/rules", id="id"
    )


class OktaPolicy(Node, label="OktaPolicy"):
    id: str = key("id")
    name: str | None = prop("name", index=True)
    type: str | None = prop("type", "PASSWORD, OKTA_SIGN_ON, MFA_ENROLL or ACCESS_POLICY.", index=True)
    description: str | None = prop("description")
    status: str | None = prop("status", "ACTIVE or INACTIVE.")
    system: bool | None = prop("system", "Whether Okta created it: the default policy.")
    priority: int | None = prop("priority", "The policy with the lowest number that applies to a user decides.")
    created: str | None = prop(okta_time("created"))
    okta_last_updated: str | None = prop(okta_time("lastUpdated"))
    relationships = (id_link("APPLIES_TO", "OktaGroup", "conditions.people.groups.include[]"),)


class OktaPolicyRule(Node, label="OktaPolicyRule"):
    id: str = key("id")
    policy_id: str = prop(parent("id"), index=True)
    name: str | None = prop("name")
    type: str | None = prop("type", "PASSWORD, SIGN_ON, MFA_ENROLL or ACCESS_POLICY.", index=True)
    status: str | None = prop("status", "ACTIVE or INACTIVE.")
    system: bool | None = prop("system", "Whether Okta created it: the default rule.")
    priority: int | None = prop("priority", "The rule with the lowest number whose conditions hold decides.")
    network_connection: str | None = prop(
        "conditions.network.connection", "ANYWHERE, or ZONE: only in, or outside of, certain network zones."
    )
    network_zones: list[str] | None = prop("conditions.network.include[]", "Ids of zones that it is limited to.")
    network_zones_excluded: list[str] | None = prop(
        "conditions.network.exclude[]", "Ids of zones that it doesn't apply to."
    )
    created: str | None = prop(okta_time("created"))
    okta_last_updated: str | None = prop(okta_time("lastUpdated"))
    relationships = (
        incoming("HAS_RULE", "OktaPolicy", parent("id")),
        id_link("APPLIES_TO", "OktaGroup", "conditions.people.groups.include[]"),
        id_link("EXCLUDES", "OktaGroup", "conditions.people.groups.exclude[]"),
        id_link("EXCLUDES", "OktaUser", "conditions.people.users.exclude[]"),
    )
