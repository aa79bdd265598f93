"""Tenants that are to be deleted: Google keeps a project or a folder for 30 more days, and lists it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from tasks.gcp.kinds import ORGANIZATION, PROJECT

TO_BE_DELETED: Final = {"DELETE_REQUESTED", "DELETE_IN_PROGRESS"}
# The call that reads the tenant itself: made whatever its state is, so that it is in the graph, with its state.
READING: Final = {ORGANIZATION: "resourcemanager:organizations.get", PROJECT: "resourcemanager:projects.get"}
_KNOWN_SECONDS: Final = 600.0

_known: Final[dict[tuple[str, str], tuple[float, str]]] = {}  # of this process: when read, and the state


def of(resource: Mapping[str, Any]) -> str:
    """The state of an organization, a folder or a project that is to be deleted; "" of any other."""
    state = resource.get("state")
    return state if state in TO_BE_DELETED else ""


def remember(endpoint: str, tenant: str, state: str) -> None:
    _known[endpoint, tenant] = (time.monotonic(), state)


def remembered(endpoint: str, tenant: str) -> str | None:
    """The state as it was last read, if not long ago."""
    read_at, state = _known.get((endpoint, tenant), (0.0, ""))
    there = (endpoint, tenant) in _known and time.monotonic() - read_at < _KNOWN_SECONDS
    return state if there else None


def forget() -> None:
    _known.clear()
