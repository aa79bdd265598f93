"""The OAuth scopes that the calls to GCP need, and the calls that find its tenants."""

from __future__ import annotations

from functools import cache
from typing import Final

from tasks.clients.google_scopes import least_scopes
from tasks.engine import registry

TENANTS: Final = (  # besides the calls of the types
    "resourcemanager:folders.list",
    "resourcemanager:organizations.search",
    "resourcemanager:projects.get",
    "resourcemanager:projects.list",
    "resourcemanager:projects.search",
    "serviceusage:services.list",
)


def calls() -> frozenset[str]:
    """Every call that is made to GCP."""
    return frozenset((*TENANTS, *(call for type_ in registry.of("gcp") for call in type_.fetch.calls)))


@cache
def needed() -> tuple[str, ...]:
    """The least set that suffices for all calls: some accept no read-only scope."""
    return least_scopes(calls())
