"""Users of GitHub, and which of them are members of the organization.

A user is one node, whatever organizations he or she belongs to. A membership is a record of its own, so that what one
organization reports stays until that organization reports something else.
"""

from __future__ import annotations

from typing import Final

from tasks.github.api import RATE_LIMIT
from tasks.provider import (
    Connection,
    Document,
    Node,
    Per,
    ResourceType,
    Source,
    at,
    key,
    link,
    link_through,
    outgoing,
    prop,
    scope_tenant,
)

# Every document has the same fields of a user, so that it doesn't matter which response comes last.
USER: Final = "url login name email company isSiteAdmin"
OPTIONAL: Final = ("email",)  # a token may lack the scope for it alone
AFFILIATIONS: Final = ("DIRECT", "OUTSIDE")
PERMISSIONS: Final = ("ADMIN", "MAINTAIN", "WRITE", "TRIAGE", "READ")


class GitHubUser(Node, label="GitHubUser", shared=True):
    id: str = key("url")
    username: str = prop("login", index=True)
    fullname: str | None = prop("name")
    email: str | None = prop("email", "'': the user shows none. None: the token may not read it.")
    company: str | None = prop("company")
    is_site_admin: bool | None = prop("isSiteAdmin", "Whether the user is an administrator of the server.")
    relationships = (
        link_through("SyncGitHubMember", "_IN", "MEMBER_OF", "GitHubOrganization", on={"id": "user"}),
        link_through("SyncGitHubMember", "_IN", "ADMIN_OF", "GitHubOrganization", on={"id": "admin"}),
        *(
            link_through(
                "SyncGitHubCollaborator",
                "_TO",
                f"{affiliation}_COLLAB_{permission}",
                "GitHubRepository",
                on={"id": f"{affiliation}_{permission}".lower()},
            )
            for affiliation in AFFILIATIONS
            for permission in PERMISSIONS
        ),
    )


_MEMBERS: Final = Document(
    f"""query Members($login: String!, $cursor: String) {{
      organization(login: $login) {{
        membersWithRole(first: 100, after: $cursor) {{
          edges {{ hasTwoFactorEnabled role node {{ {USER} }} }}
          pageInfo {{ endCursor hasNextPage }}
        }}
      }}
      {RATE_LIMIT}
    }}""",
    connection="organization.membersWithRole",
    optional=(*OPTIONAL, "hasTwoFactorEnabled"),
)


def membership_id(member: Source) -> str:
    return f"{member.scope.tenant}/{member.item['node']['url']}"


def admin(member: Source) -> str | None:
    url: str = member.item["node"]["url"]
    return url if at("role", member.item) == "ADMIN" else None


class SyncGitHubMember(Node, label="SyncGitHubMember"):
    id: str = key(membership_id)
    user: str = prop("node.url", index=True)
    admin: str | None = prop(admin, "The user, if an owner of the organization.", index=True)
    organization: str = prop(scope_tenant, "The tenant of the membership.")
    role: str = prop("role", "ADMIN or MEMBER.")
    has_2fa_enabled: bool | None = prop("hasTwoFactorEnabled", "None: only visible to owners.")
    relationships = (
        outgoing("_IS", "GitHubUser", "node.url"),
        link("_IN", "GitHubOrganization", on={"organization": "tenant"}),
    )


USERS: Final = ResourceType(
    "github.users",
    Per.TENANT,
    fetch=Connection(_MEMBERS, "edges"),
    yields=(GitHubUser.each("node"), SyncGitHubMember),
)
