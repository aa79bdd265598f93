"""Groups, and who is in them: users, and groups within groups."""

from __future__ import annotations

from typing import Final

from loaders.model import Node, Source, id_link, key, link_through, prop
from tasks.listing import listing
from tasks.resource import Per, ResourceType


def member_emails(group: Source) -> list[str]:
    """E-mail addresses in lower case of members that are no groups: which of them are users here, the graph knows."""
    return [one["email"].lower() for one in group.item["members"] if one.get("email") and one.get("type") != "GROUP"]


def member_groups(group: Source) -> list[str]:
    return [one["id"] for one in group.item["members"] if one.get("type") == "GROUP"]


class GSuiteGroup(Node, label="GSuiteGroup"):
    id: str = key("id")
    group_id: str = prop("id")
    email: str = prop("email", index=True)
    name: str | None = prop("name")
    description: str | None = prop("description")
    direct_members_count: str | None = prop("directMembersCount", "Text, as Google has it.")
    admin_created: bool | None = prop("adminCreated", "By an administrator, not by a user.")
    etag: str | None = prop("etag")
    kind: str | None = prop("kind")
    relationships = (
        id_link("MEMBER_GSUITE_GROUP", "GSuiteUser", member_emails, incoming=True),
        id_link("MEMBER_GSUITE_GROUP", "GSuiteGroup", member_groups, incoming=True),
        link_through("SyncGCPGrant", "_BY", "HAS_ALLOW_POLICY", "GCPPolicyBinding", on={"email": "email"}),
    )


# Thousands of groups take thousands of calls: they are read in parts, so that no attempt lasts hours.
GROUPS: Final = ResourceType(
    "gsuite.groups",
    Per.TENANT,
    fetch=listing("directory:groups.list", maxResults=200, gone_if="notFound")
    .in_parts(200, by="id", again="directory:groups.get", parameter="groupKey")
    .then("directory:members.list", groupKey="id", constants={"maxResults": 200}, keep=("id", "email", "type")),
    yields=(GSuiteGroup,),
    also=("groups",),
)
