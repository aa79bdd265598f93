"""Which files run in one process of pytest-xdist, one after the other: those that share what takes long to make."""

from __future__ import annotations

from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

# By the beginning of a path.
TOGETHER = {
    "tests/faults/": "one fleet, and what an undisturbed run of it leaves",
    "tests/integration/estates/": "one simulated AWS",
    "tests/contract/test_graph_of_2020.py": "the samples of all types in a graph",
    "tests/contract/test_schema_pages.py": "the samples of all types in a graph",
    "tests/contract/test_loading.py": "the samples of all types in a graph",
    "tests/contract/test_other_answers.py": "the samples of all types in a graph",
    # Neo4j plans each statement once for them: theirs are those of all types as well.
    "tests/integration/test_all_providers.py": "the samples of all types in a graph",
    "tests/integration/test_adoption.py": "the samples of all types in a graph",
    "tests/integration/test_like_in_2020.py": "the samples of all types in a graph",
}


class Together(LoadFileScheduling):  # type: ignore[misc]  # its base class has no types
    def _split_scope(self, nodeid: str) -> str:
        return next((why for beginning, why in TOGETHER.items() if nodeid.startswith(beginning)), nodeid.split("::")[0])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Together | None:
    return Together(config, log) if config.getvalue("dist") == "loadfile" else None
