"""Teams: their members, their permissions in repositories, and the team that they belong to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from tasks.github.api import RATE_LIMIT
from tasks.github.users import OPTIONAL, PERMISSIONS, USER, GitHubUser
from tasks.provider import (
    ByIds,
    Document,
    Node,
    Per,
    ResourceType,
    Source,
    id_link,
    incoming,
    key,
    named,
    outgoing,
    prop,
)

_IDS: Final = Document(
    f"""query TeamIds($login: String!, $cursor: String) {{
      organization(login: $login) {{
        teams(first: 100, after: $cursor, orderBy: {{field: NAME, direction: ASC}}) {{
          nodes {{ id }}
          pageInfo {{ endCursor hasNextPage }}
        }}
      }}
      {RATE_LIMIT}
    }}""",
    connection="organization.teams",
)
_MEMBERS: Final = f"{{ edges {{ role node {{ {USER} }} }} pageInfo {{ endCursor hasNextPage }} }}"
_REPOSITORIES: Final = "{ edges { permission node { url } } pageInfo { endCursor hasNextPage } }"
_TEAMS: Final = Document(
    f"""query Teams($ids: [ID!]!) {{
      nodes(ids: $ids) {{
        ... on Team {{
          id url name slug description privacy
          organization {{ url }}
          parentTeam {{ url }}
          members(first: 100, membership: IMMEDIATE) {_MEMBERS}
          repositories(first: 100) {_REPOSITORIES}
        }}
      }}
      {RATE_LIMIT}
    }}""",
    optional=OPTIONAL,
)
_MORE_MEMBERS: Final = Document(
    f"""query MoreTeamMembers($id: ID!, $cursor: String) {{
      node(id: $id) {{ ... on Team {{ members(first: 100, after: $cursor, membership: IMMEDIATE) {_MEMBERS} }} }}
      {RATE_LIMIT}
    }}""",
    connection="node.members",
    optional=OPTIONAL,
)
_MORE_REPOSITORIES: Final = Document(
    f"""query MoreTeamRepositories($id: ID!, $cursor: String) {{
      node(id: $id) {{ ... on Team {{ repositories(first: 100, after: $cursor) {_REPOSITORIES} }} }}
      {RATE_LIMIT}
    }}""",
    connection="node.repositories",
)


def repositories_with(permission: str) -> Callable[[Source], list[str]]:
    """URLs of the repositories in which the team has this permission."""

    @named(f"repositories_with({permission!r})")
    def repositories(team: Source) -> list[str]:
        edges = team.item["repositories"]["edges"]
        return [edge["node"]["url"] for edge in edges if edge["permission"] == permission]

    return repositories


def members_as(role: str) -> Callable[[Source], list[str]]:
    """URLs of the members with this role."""

    @named(f"members_as({role!r})")
    def members(team: Source) -> list[str]:
        return [edge["node"]["url"] for edge in team.item["members"]["edges"] if edge["role"] == role]

    return members


def people(team: Source) -> list[Mapping[str, Any]]:
    return [edge["node"] for edge in team.item["members"]["edges"]]


class GitHubTeam(Node, label="GitHubTeam"):
    id: str = key("url")
    url: str = prop("url")
    name: str = prop("name", index=True)
    slug: str = prop("slug")
    description: str | None = prop("description")
    privacy: str | None = prop("privacy", "VISIBLE or SECRET.")
    relationships = (
        incoming("RESOURCE", "GitHubOrganization", "organization.url"),
        outgoing("MEMBER_OF_TEAM", "GitHubTeam", "parentTeam.url"),
        incoming("MEMBER", "GitHubUser", members_as("MEMBER")),
        incoming("MAINTAINER", "GitHubUser", members_as("MAINTAINER")),
        *(id_link(permission, "GitHubRepository", repositories_with(permission)) for permission in PERMISSIONS),
    )


TEAMS: Final = ResourceType(
    "github.teams",
    Per.TENANT,
    fetch=ByIds(_IDS, _TEAMS, {"members": _MORE_MEMBERS, "repositories": _MORE_REPOSITORIES}, batch_size=10),
    yields=(GitHubTeam, GitHubUser.each(people)),
)
