"""Administrator roles, standard and custom, and the users and groups to which they are assigned.

An assignment is a record of its own, from which the links between users or groups and roles are written: they are
listed by different calls, each of which may fail without the others.
"""

from __future__ import annotations

from typing import Final

from tasks.okta.api import GONE
from tasks.provider import Node, Per, ResourceType, Source, at, key, listing, outgoing, parent, prop, scope_tenant


def role_id(assignment: Source) -> str | None:
    """Its type, which is the same in all organizations; the id of a custom role."""
    type_: str | None = at("type", assignment.item)
    role: str | None = at("role", assignment.item)
    return role if type_ == "CUSTOM" else type_


def assignment_id(assignment: Source) -> str | None:
    assignee, id_ = parent("id")(assignment), at("id", assignment.item)
    return f"{assignee}/{id_}" if assignee and id_ else None


class OktaAdministrationRole(Node, label="OktaAdministrationRole", shared=True):
    id: str = key(role_id, "SUPER_ADMIN, ORG_ADMIN, ...; the id of a custom role.")
    type: str | None = prop("type", "CUSTOM, or the same as the id.")
    label: str | None = prop("label")


class SyncOktaRole(Node, label="SyncOktaRole"):
    id: str = key(assignment_id)
    assignee: str = prop(parent("id"), "A user or a group.", index=True)
    organization: str = prop(scope_tenant, index=True)
    relationships = (outgoing("_ROLE", "OktaAdministrationRole", role_id),)


class SyncOktaUserRole(SyncOktaRole, label="SyncOktaUserRole"):
    id: str = key(assignment_id)
    assignee: str = prop(parent("id"), "A user.")
    organization: str = prop(scope_tenant)


class SyncOktaGroupRole(SyncOktaRole, label="SyncOktaGroupRole"):
    id: str = key(assignment_id)
    assignee: str = prop(parent("id"), "A group.")
    organization: str = prop(scope_tenant)


USER_ROLES: Final = ResourceType(
    "okta.roles.users",
    Per.TENANT,
    fetch=listing("GET /api/v1/iam/assignees/users", not_found_codes=GONE, limit=100).detail(
        "GET /api/v1/users/{id}/roles", id="id"
    ),
    yields=(SyncOktaUserRole.each("roles[]"), OktaAdministrationRole.each("roles[]")),
    aliases=("roles",),
)
# Okta has no list of groups with roles: one call per group.
GROUP_ROLES: Final = ResourceType(
    "okta.roles.groups",
    Per.TENANT,
    fetch=listing("GET /api/v1/groups", limit=1000, not_found_codes=GONE)
    .partition(100, key="id")
    .detail("GET /api/v1/groups/{id}/roles", id="id"),
    yields=(SyncOktaGroupRole.each("roles[]"), OktaAdministrationRole.each("roles[]")),
    aliases=("roles",),
)
