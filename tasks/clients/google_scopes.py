"""The OAuth scopes that calls need, derived from what each method takes: any one scope of its list suffices.

least_scopes(["directory:users.list", "directory:groups.list"])
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import combinations
from typing import Any, Final

from tasks.clients.google_documents import SERVICES, discovery_document, scopes_of

_READ_ONLY: Final = ("readonly", "read-only", "read_only")


def least_scopes(actions: Iterable[str]) -> tuple[str, ...]:
    """The set that does for all of these calls: the fewest scopes that may write, then the fewest, then those by which
    the fewest methods can be called. Sorted, and the same whenever the documents are.
    """
    calls = [taken for action in sorted(set(actions)) if (taken := scopes_of(action))]
    forced = {scope for taken in calls if len(taken) == 1 for scope in taken}
    open_ = [taken for taken in calls if not taken & forced]
    candidates = sorted({scope for taken in open_ for scope in taken})
    sets = (
        chosen
        for size in range(len(candidates) + 1)
        for chosen in combinations(candidates, size)
        if all(taken & set(chosen) for taken in open_)
    )
    least: tuple[str, ...] = min(sets, key=_breadth)
    return tuple(sorted(forced | {*least}))


def narrowest(scopes: Iterable[str]) -> str:
    """Of scopes that each suffice, the one that gives least. Raises ValueError for none."""
    return min(scopes, key=lambda scope: _breadth((scope,)))


def is_read_only(scope: str) -> bool:
    return scope.endswith(_READ_ONLY)


def _breadth(scopes: tuple[str, ...]) -> tuple[int, int, int, tuple[str, ...]]:
    writing = sum(not is_read_only(scope) for scope in scopes)
    return writing, len(scopes), sum(_methods_by(scope) for scope in scopes), tuple(sorted(scopes))


@cache
def _methods_by(scope: str) -> int:
    """How many methods of the services here can be called with a scope."""
    methods = (method for service in SERVICES for method in _methods(discovery_document(service)))
    return sum(scope in method.get("scopes", ()) for method in methods)


def _methods(of: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from of.get("methods", {}).values()
    for inner in of.get("resources", {}).values():
        yield from _methods(inner)
