"""Groups and their members: users and other groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tasks.provider import Node, Per, ResourceType, Source, id_link, key, link_through, listing, prop


def member_emails(group: Source) -> list[str]:
    """E-mail addresses, in lower case, of members that aren't groups. The graph knows which are users here."""
    return [one["email"].lower() for one in _members(group) if one.get("email") and one.get("type") != "GROUP"]


def member_groups(group: Source) -> list[str]:
    """Ids of members that are groups, or may be: the graph knows whether one without a type is."""
    return [one["id"] for one in _members(group) if one.get("id") and one.get("type") in ("GROUP", None)]


def has_everybody(group: Source) -> bool:
    return any(one.get("type") == "CUSTOMER" for one in _members(group))


def _members(group: Source) -> list[Mapping[str, Any]]:
    return [one for one in group.item["members"] if one]


def address(group: Source) -> str | None:
    email: str | None = group.item.get("email")
    return email.lower() if email else None


class GSuiteGroup(Node, label="GSuiteGroup"):
    id: str = key("id")
    group_id: str = prop("id")
    email: str = prop("email", "As Google spells it.", index=True)
    address: str | None = prop(address, "The e-mail address in lower case, for matching with IAM policies.", index=True)
    name: str | None = prop("name")
    description: str | None = prop("description")
    direct_members_count: str | None = prop("directMembersCount", "A string, as in Google's API.")
    admin_created: bool | None = prop("adminCreated", "Whether it was created by an administrator.")
    has_everybody: bool = prop(
        has_everybody, "Whether the whole organization is a member, of type CUSTOMER, instead of each user."
    )
    etag: str | None = prop("etag")
    kind: str | None = prop("kind")
    relationships = (
        id_link("MEMBER_GSUITE_GROUP", "GSuiteUser", member_emails, incoming=True),
        id_link("MEMBER_GSUITE_GROUP", "GSuiteGroup", member_groups, incoming=True),
        link_through("SyncGCPGrant", "_BY", "HAS_ALLOW_POLICY", "GCPPolicyBinding", on={"address": "email"}),
    )


# Thousands of groups take thousands of calls: they are read in parts, so that no attempt lasts hours.
GROUPS: Final = ResourceType(
    "gsuite.groups",
    Per.TENANT,
    fetch=listing("directory:groups.list", maxResults=200, not_found_codes="notFound")
    .partition(200, key="id", refetch="directory:groups.get", parameter="groupKey")
    .detail("directory:members.list", groupKey="id", constants={"maxResults": 200}, keep=("id", "email", "type")),
    yields=(GSuiteGroup,),
    aliases=("groups",),
)
