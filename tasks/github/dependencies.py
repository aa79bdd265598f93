"""Dependencies of repositories, from the manifests that GitHub finds in them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from tasks.github.api import RATE_LIMIT
from tasks.github.repositories import REPOSITORY_IDS
from tasks.provider import ByIds, Document, Node, Per, ResourceType, Source, id_link, key, outgoing, parent, prop

_PYTHON: Final = ("PIP", "CONDA")  # package managers
_SEPARATORS: Final = re.compile("[-_.]+")

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


def canonical_name(dependency: Source) -> str:
    """The name as its ecosystem compares names: ignoring case, and in Python with one separator (PEP 503)."""
    return _name(dependency.item)


def dependency_id(dependency: Source) -> str:
    return "|".join(filter(None, (_name(dependency.item), _requirements(dependency.item))))


def dependency_key(dependency: Source) -> str:
    return _key(dependency.item)


def requirements(dependency: Source) -> str | None:
    return _requirements(dependency.item)


def package_manager(dependency: Source) -> str | None:
    return _manager(dependency.item) or None


def ecosystem(dependency: Source) -> str:
    return _manager(dependency.item).lower() or "unknown"


def dependency_keys(manifest: Source) -> list[str]:
    return [_key(one) for one in manifest.item["dependencies"]["nodes"]]


def _key(dependency: Mapping[str, Any]) -> str:
    return "|".join((_manager(dependency), _name(dependency), _requirements(dependency) or ""))


def _manager(dependency: Mapping[str, Any]) -> str:
    return (dependency["packageManager"] or "").upper()


def _name(dependency: Mapping[str, Any]) -> str:
    name: str = dependency["packageName"].lower()
    return _SEPARATORS.sub("-", name) if _manager(dependency) in _PYTHON else name


def _requirements(dependency: Mapping[str, Any]) -> str | None:
    return (dependency["requirements"] or "").strip() or None


def manifest_id(manifest: Source) -> str:
    """GitHub's own id for a manifest without a file."""
    path: str | None = manifest.item["blobPath"]
    return f"{parent('url')(manifest)}#{path}" if path else manifest.item["id"]


def file_name(manifest: Source) -> str:
    """The name of the file, or of what was submitted as one, without folders."""
    path: str = manifest.item["blobPath"] or manifest.item["filename"]
    return path.rpartition("/")[2]


class GitHubDependency(Node, label="GitHubDependency", shared=True):
    package: str = key(dependency_key, "Its identity: <package manager>|<name>|<requirements>.")
    id: str = prop(dependency_id, "<name>|<requirements>: the same text for packages of two managers.", index=True)
    name: str = prop(canonical_name, "As the package's ecosystem compares names.", index=True)
    requirements: str | None = prop(requirements, "As in the manifest: `= 1.2.3`, `>= 2`.")
    ecosystem: str = prop(ecosystem, "npm, pip, maven, go, ...; unknown: GitHub doesn't say.")
    package_manager: str | None = prop(package_manager)


class GitHubDependencyGraphManifest(Node, label="GitHubDependencyGraphManifest"):
    id: str = key(manifest_id, "<url of the repository>#<path of the file>")
    repo_url: str = prop(parent("url"), index=True)
    filename: str = prop(file_name)
    repo_relative_path: str = prop("filename", "The file's path in the repository.")
    blob_path: str | None = prop("blobPath")
    dependencies_count: int | None = prop("dependenciesCount")
    parseable: bool | None = prop("parseable", "False: GitHub can't parse it, so its dependencies are unknown.")
    exceeds_max_size: bool | None = prop("exceedsMaxSize", "True: too large for GitHub to parse.")
    relationships = (
        id_link("HAS_MANIFEST", "GitHubRepository", parent("url"), incoming=True),
        outgoing("HAS_DEP", "GitHubDependency", dependency_keys),
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
        batch_size=5,
    ),
    yields=(
        GitHubDependencyGraphManifest.each("dependencyGraphManifests.nodes[]"),
        GitHubDependency.each("dependencyGraphManifests.nodes[].dependencies.nodes[]"),
    ),
)
