"""What a repository depends on, as the manifests say it in which GitHub finds dependencies."""

from __future__ import annotations

from typing import Final

from loaders.model import Node, Source, id_link, key, outgoing, parent, prop
from tasks.github.api import RATE_LIMIT
from tasks.github.repositories import REPOSITORY_IDS
from tasks.graphql import ByIds, Document
from tasks.resource import Per, ResourceType

_DEPENDENCIES: Final = "{ nodes { packageName requirements packageManager } pageInfo { endCursor hasNextPage } }"
_PAGE: Final = f"""{{
            nodes {{
              id blobPath filename dependenciesCount parseable exceedsMaxSize
              dependencies(first: 100) {_DEPENDENCIES}
            }}
            pageInfo {{ endCursor hasNextPage }}
          }}"""
_MANIFESTS: Final = Document(
    f"""query Manifests($ids: [ID!]!) {{
      nodes(ids: $ids) {{
        ... on Repository {{
          id url
          dependencyGraphManifests(first: 20) {_PAGE}
        }}
      }}
      {RATE_LIMIT}
    }}"""
)
_MORE_MANIFESTS: Final = Document(
    f"""query MoreManifests($id: ID!, $cursor: String) {{
      node(id: $id) {{
        ... on Repository {{
          dependencyGraphManifests(first: 20, after: $cursor) {_PAGE}
        }}
      }}
      {RATE_LIMIT}
    }}""",
    connection="node.dependencyGraphManifests",
)
_MORE_DEPENDENCIES: Final = Document(
    f"""query MoreDependencies($id: ID!, $cursor: String) {{
      node(id: $id) {{
        ... on DependencyGraphManifest {{ dependencies(first: 100, after: $cursor) {_DEPENDENCIES} }}
      }}
      {RATE_LIMIT}
    }}""",
    connection="node.dependencies",
)


def dependency_id(dependency: Source) -> str:
    return _id(dependency.item)


def _id(dependency: dict[str, str]) -> str:
    return "|".join((dependency["packageManager"], dependency["packageName"], dependency["requirements"] or ""))


def dependency_ids(manifest: Source) -> list[str]:
    return [_id(one) for one in manifest.item["dependencies"]["nodes"]]


def ecosystem(dependency: Source) -> str:
    found: str = dependency.item["packageManager"]
    return found.lower()


class GitHubDependency(Node, label="GitHubDependency", shared=True):
    id: str = key(dependency_id, "<package manager>|<name>|<requirements>")
    name: str = prop("packageName", index=True)
    requirements: str | None = prop("requirements", "As the manifest says them: `= 1.2.3`, `>= 2`.")
    ecosystem: str = prop(ecosystem, "npm, pip, maven, go, ...")
    package_manager: str = prop("packageManager")


class GitHubDependencyGraphManifest(Node, label="GitHubDependencyGraphManifest"):
    id: str = key("id")
    repo_url: str = prop(parent("url"), index=True)
    filename: str = prop("filename")
    blob_path: str | None = prop("blobPath")
    dependencies_count: int | None = prop("dependenciesCount")
    parseable: bool | None = prop("parseable", "False: GitHub can't read it, so that what it says isn't known.")
    exceeds_max_size: bool | None = prop("exceedsMaxSize", "True: GitHub doesn't read it.")
    relationships = (
        id_link("HAS_MANIFEST", "GitHubRepository", parent("url"), incoming=True),
        outgoing("HAS_DEP", "GitHubDependency", dependency_ids),
    )


DEPENDENCIES: Final = ResourceType(
    "github.dependencies",
    Per.TENANT,
    fetch=ByIds(
        REPOSITORY_IDS,
        _MANIFESTS,
        {
            "dependencyGraphManifests": _MORE_MANIFESTS,
            "dependencyGraphManifests.nodes[].dependencies": _MORE_DEPENDENCIES,
        },
        at_once=5,
    ),
    yields=(
        GitHubDependencyGraphManifest.each("dependencyGraphManifests.nodes[]"),
        GitHubDependency.each("dependencyGraphManifests.nodes[].dependencies.nodes[]"),
    ),
)
