"""What a repository depends on, as the manifests say it in which GitHub finds dependencies."""

from __future__ import annotations

import re
from typing import Final

from tasks.github.api import RATE_LIMIT
from tasks.github.repositories import REPOSITORY_IDS
from tasks.graphql import ByIds, Document
from tasks.resource import Per, ResourceType

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
