"""Collaborators of repositories, not through a team: members of the organization and outside collaborators.

A collaboration is a record of its own, from which the links between user and repository are written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from tasks.github.api import RATE_LIMIT
from tasks.github.repositories import REPOSITORY_IDS
from tasks.github.users import AFFILIATIONS, OPTIONAL, USER, GitHubUser
from tasks.provider import ByIds, Document, Node, Per, ResourceType, Source, key, named, outgoing, prop

_PAGE: Final = f"{{ edges {{ permission node {{ {USER} }} }} pageInfo {{ endCursor hasNextPage }} }}"
_COLLABORATORS: Final = Document(
    f"""query Collaborators($ids: [ID!]!) {{
      nodes(ids: $ids) {{
        ... on Repository {{
          id url
          direct: collaborators(affiliation: DIRECT, first: 100) {_PAGE}
          outside: collaborators(affiliation: OUTSIDE, first: 100) {_PAGE}
        }}
      }}
      {RATE_LIMIT}
    }}""",
    optional=OPTIONAL,
)


def _more(affiliation: str) -> Document:
    name = affiliation.lower()
    return Document(
        f"""query More{affiliation.title()}Collaborators($id: ID!, $cursor: String) {{
          node(id: $id) {{
            ... on Repository {{
              {name}: collaborators(affiliation: {affiliation}, first: 100, after: $cursor) {_PAGE}
            }}
          }}
          {RATE_LIMIT}
        }}""",
        connection=f"node.{name}",
        optional=OPTIONAL,
    )


def accesses(affiliation: str) -> Callable[[Source], Iterator[Mapping[str, Any]]]:
    """Each collaboration of an affiliation, with its repository. Outside collaborators are direct ones as well."""

    @named(f"accesses({affiliation!r})")
    def found(repository: Source) -> Iterator[Mapping[str, Any]]:
        for edge in repository.item[affiliation.lower()]["edges"]:
            yield {**edge, "affiliation": affiliation, "repository": repository.item["url"]}

    return found


def access_id(access: Source) -> str:
    return f"{access.item['repository']}/{access.item['affiliation']}/{access.item['node']['url']}"


def people(affiliation: str) -> Callable[[Source], list[Mapping[str, Any]]]:
    @named(f"people({affiliation!r})")
    def found(repository: Source) -> list[Mapping[str, Any]]:
        return [edge["node"] for edge in repository.item[affiliation.lower()]["edges"]]

    return found


def user_with(affiliation: str, permission: str) -> Callable[[Source], str | None]:
    """The user, if the collaboration is of this kind."""

    @named(f"user_with({affiliation!r}, {permission!r})")
    def user(access: Source) -> str | None:
        item = access.item
        url: str = item["node"]["url"]
        return url if (item["affiliation"], item["permission"]) == (affiliation, permission) else None

    return user


class SyncGitHubCollaborator(Node, label="SyncGitHubCollaborator"):
    id: str = key(access_id)
    direct_admin: str | None = prop(user_with("DIRECT", "ADMIN"), index=True)
    direct_maintain: str | None = prop(user_with("DIRECT", "MAINTAIN"), index=True)
    direct_write: str | None = prop(user_with("DIRECT", "WRITE"), index=True)
    direct_triage: str | None = prop(user_with("DIRECT", "TRIAGE"), index=True)
    direct_read: str | None = prop(user_with("DIRECT", "READ"), index=True)
    outside_admin: str | None = prop(user_with("OUTSIDE", "ADMIN"), index=True)
    outside_maintain: str | None = prop(user_with("OUTSIDE", "MAINTAIN"), index=True)
    outside_write: str | None = prop(user_with("OUTSIDE", "WRITE"), index=True)
    outside_triage: str | None = prop(user_with("OUTSIDE", "TRIAGE"), index=True)
    outside_read: str | None = prop(user_with("OUTSIDE", "READ"), index=True)
    relationships = (
        outgoing("_IS", "GitHubUser", "node.url"),
        outgoing("_TO", "GitHubRepository", "repository"),
    )


COLLABORATORS: Final = ResourceType(
    "github.collaborators",
    Per.TENANT,
    fetch=ByIds(REPOSITORY_IDS, _COLLABORATORS, {name.lower(): _more(name) for name in AFFILIATIONS}),
    yields=(
        *(GitHubUser.each(people(affiliation)) for affiliation in AFFILIATIONS),
        *(SyncGitHubCollaborator.each(accesses(affiliation)) for affiliation in AFFILIATIONS),
    ),
)
