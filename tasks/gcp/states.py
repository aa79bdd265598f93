"""Tenants that are going: Google keeps a project or a folder that is to be deleted for 30 days, and lists it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

GOING: Final = {"DELETE_REQUESTED", "DELETE_IN_PROGRESS"}
# What tells of a tenant itself: called whatever its state is, so that it is in the graph, with its state.
TELLING: Final = {"organization": "resourcemanager:organizations.get", "project": "resourcemanager:projects.get"}
_KNOWN_SECONDS: Final = 600.0

_known: Final[dict[tuple[str, str], tuple[float, str]]] = {}  # of this process: when, and which


def of(one: Mapping[str, Any]) -> str:
    """The state of an organization, a folder or a project that is going; "" of any other."""
    state = one.get("state")
    return state if state in GOING else ""


def remember(endpoint: str, tenant: str, state: str) -> None:
    _known[endpoint, tenant] = (time.monotonic(), state)


def remembered(endpoint: str, tenant: str) -> str | None:
    """The state as it was last told, if that isn't long ago."""
    read_at, state = _known.get((endpoint, tenant), (0.0, ""))
    there = (endpoint, tenant) in _known and time.monotonic() - read_at < _KNOWN_SECONDS
    return state if there else None


def forget() -> None:
    _known.clear()
