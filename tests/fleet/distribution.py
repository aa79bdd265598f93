"""Which files run in one process of pytest-xdist, one after the other: those that share what takes long to make.

Neo4j takes 50 to 200 ms of CPU time to plan a statement for the first time. So files that need a graph are in few
groups, and each group has the graph of its process to itself. Any other file is on its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import pytest
from xdist.scheduler import LoadGroupScheduling

SAMPLES: Final = "samples"  # the samples of all types, and what is made of them
FLEET: Final = "fleet"  # one fleet, and everything that needs a graph and has no other group
ACCOUNTS: Final = "accounts"  # simulated AWS accounts, and commands that read them

# By the beginning of a path.
_GROUPS: Final = {
    "tests/contract/": SAMPLES,
    "tests/integration/test_all_providers.py": SAMPLES,
    "tests/integration/test_adoption.py": SAMPLES,
    "tests/integration/test_like_in_2020.py": SAMPLES,
    "tests/integration/test_permissions.py": ACCOUNTS,
    "tests/integration/estates/": ACCOUNTS,
    "tests/integration/test_cli.py": ACCOUNTS,
    "tests/integration/test_embedded.py": ACCOUNTS,
    "tests/integration/test_flower_and_beat.py": ACCOUNTS,
    "tests/integration/test_many_accounts.py": ACCOUNTS,
    "tests/integration/test_tls.py": ACCOUNTS,
}
_GRAPH: Final = "services"  # the fixture


class Together(LoadGroupScheduling):  # type: ignore[misc]  # its base class has no types
    def _split_scope(self, nodeid: str) -> str:
        scope: str = super()._split_scope(nodeid)
        return scope.split("::")[0]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    paths = {item: item.nodeid.split("::")[0] for item in items}
    with_graph = {paths[item] for item in items if _GRAPH in getattr(item, "fixturenames", ())}
    for item, path in paths.items():
        if path in with_graph:
            group = next((group for beginning, group in _GROUPS.items() if path.startswith(beginning)), FLEET)
            item.add_marker(pytest.mark.xdist_group(group))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Together | None:
    return Together(config, log) if config.getvalue("dist") == "loadgroup" else None
