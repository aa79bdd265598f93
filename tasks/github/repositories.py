"""Repositories, their owners, languages and default branches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tasks.github.api import RATE_LIMIT
from tasks.github.users import OPTIONAL, USER, GitHubUser
from tasks.provider import (
    ByIds,
    Document,
    Node,
    Per,
    ResourceType,
    Source,
    incoming,
    key,
    link_through,
    outgoing,
    parent,
    prop,
)

# By creation time: a repository that is created meanwhile comes last, and shifts no page.
REPOSITORY_IDS: Final = Document(
    f"""query RepositoryIds($login: String!, $cursor: String) {{
      organization(login: $login) {{
        repositories(first: 100, after: $cursor, orderBy: {{field: CREATED_AT, direction: ASC}}) {{
          nodes {{ id }}
          pageInfo {{ endCursor hasNextPage }}
        }}
      }}
      {RATE_LIMIT}
    }}""",
    connection="organization.repositories",
)
_REPOSITORIES: Final = Document(
    f"""query Repositories($ids: [ID!]!) {{
      nodes(ids: $ids) {{
        ... on Repository {{
          id url name nameWithOwner description homepageUrl sshUrl createdAt updatedAt visibility
          isPrivate isArchived isDisabled isLocked isFork
          primaryLanguage {{ name }}
          defaultBranchRef {{ id name }}
          owner {{ __typename url login ... on User {{ {USER} }} }}
          languages(first: 100) {{ nodes {{ name }} pageInfo {{ endCursor hasNextPage }} }}
        }}
      }}
      {RATE_LIMIT}
    }}""",
    optional=OPTIONAL,
)
_MORE_LANGUAGES: Final = Document(
    f"""query MoreLanguages($id: ID!, $cursor: String) {{
      node(id: $id) {{
        ... on Repository {{
          languages(first: 100, after: $cursor) {{ nodes {{ name }} pageInfo {{ endCursor hasNextPage }} }}
        }}
      }}
      {RATE_LIMIT}
    }}""",
    connection="node.languages",
)


def branch_id(repository: Source) -> str | None:
    branch = repository.item["defaultBranchRef"]
    return f"{repository.item['url']}:{branch['id']}" if branch else None


def git_url(repository: Source) -> str:
    """`git@github.com:example/web.git` as `git://github.com:example:web.git`, as the graph has had it since 2020."""
    ssh: str = repository.item["sshUrl"]
    return ssh.replace("/", ":").replace("git@", "git://")


def owning_organization(repository: Source) -> str | None:
    return _owner(repository, "Organization")


def owning_user(repository: Source) -> str | None:
    return _owner(repository, "User")


def _owner(repository: Source, kind: str) -> str | None:
    owner = repository.item["owner"]
    url: str = owner["url"]
    return url if owner["__typename"] == kind else None


class GitHubRepository(Node, label="GitHubRepository"):
    id: str = key("url")
    url: str = prop("url")
    name: str = prop("name", index=True)
    fullname: str = prop("nameWithOwner", index=True)
    description: str | None = prop("description")
    homepage: str | None = prop("homepageUrl")
    primarylanguage: str | None = prop("primaryLanguage.name")
    defaultbranch: str | None = prop("defaultBranchRef.name", "None: nothing was ever pushed.")
    defaultbranchid: str | None = prop(branch_id)
    private: bool = prop("isPrivate", "Whether it is not public: internal repositories are private as well.")
    visibility: str | None = prop("visibility", "PUBLIC, PRIVATE, or INTERNAL: open to the whole enterprise.")
    disabled: bool = prop("isDisabled")
    archived: bool = prop("isArchived")
    locked: bool = prop("isLocked")
    fork: bool | None = prop("isFork")
    giturl: str = prop(git_url)
    sshurl: str = prop("sshUrl")
    createdat: str = prop("createdAt")
    updatedat: str | None = prop("updatedAt")
    relationships = (
        outgoing("OWNER", "GitHubOrganization", owning_organization),
        outgoing("OWNER", "GitHubUser", owning_user),
        outgoing("LANGUAGE", "ProgrammingLanguage", "languages.nodes[].name"),
        link_through(
            "GitHubDependencyGraphManifest", "HAS_DEP", "REQUIRES", "GitHubDependency", on={"url": "repo_url"}
        ),
    )


def default_branch(repository: Source) -> list[Mapping[str, Any]]:
    branch = repository.item["defaultBranchRef"]
    return [{"id": branch_id(repository), "name": branch["name"]}] if branch else []


class GitHubBranch(Node, label="GitHubBranch"):
    id: str = key("id", "<url of the repository>:<GitHub's own id>")
    name: str = prop("name")
    relationships = (incoming("BRANCH", "GitHubRepository", parent("url")),)


class ProgrammingLanguage(Node, label="ProgrammingLanguage", shared=True):
    id: str = key("name")
    name: str = prop("name")


def owner_if_user(repository: Source) -> list[Mapping[str, Any]]:
    return [repository.item["owner"]] if owning_user(repository) else []


REPOSITORIES: Final = ResourceType(
    "github.repositories",
    Per.TENANT,
    fetch=ByIds(REPOSITORY_IDS, _REPOSITORIES, {"languages": _MORE_LANGUAGES}, batch_size=50),
    yields=(
        GitHubRepository,
        GitHubBranch.each(default_branch),
        ProgrammingLanguage.each("languages.nodes[]"),
        GitHubUser.each(owner_if_user),
    ),
)
