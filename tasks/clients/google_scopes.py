"""The OAuth scopes that calls need, from what each method accepts: any one scope of its list suffices.

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
    """The set of scopes that suffices for all of these calls: with the fewest scopes that may write, then the fewest
    scopes, then those that allow the fewest methods. Sorted, and the same as long as the documents are.
    """
    accepted = [scopes for action in sorted(set(actions)) if (scopes := scopes_of(action))]
    forced = {scope for scopes in accepted if len(scopes) == 1 for scope in scopes}
    open_ = [scopes for scopes in accepted if not scopes & forced]
    candidates = sorted({scope for scopes in open_ for scope in scopes})
    sets = (
        chosen
        for size in range(len(candidates) + 1)
        for chosen in combinations(candidates, size)
        if all(scopes & set(chosen) for scopes in open_)
    )
    least: tuple[str, ...] = min(sets, key=_breadth)
    return tuple(sorted(forced | {*least}))


def narrowest(scopes: Iterable[str]) -> str:
    """Of scopes that each suffice, the one that allows least. Raises ValueError if there is none."""
    return min(scopes, key=lambda scope: _breadth((scope,)))


def is_read_only(scope: str) -> bool:
    return scope.endswith(_READ_ONLY)


def _breadth(scopes: tuple[str, ...]) -> tuple[int, int, int, tuple[str, ...]]:
    writing = sum(not is_read_only(scope) for scope in scopes)
    return writing, len(scopes), sum(_methods_with(scope) for scope in scopes), tuple(sorted(scopes))


@cache
def _methods_with(scope: str) -> int:
    """How many methods of the services here a scope allows."""
    methods = (method for service in SERVICES for method in _methods(discovery_document(service)))
    return sum(scope in method.get("scopes", ()) for method in methods)


def _methods(resource: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from resource.get("methods", {}).values()
    for inner in resource.get("resources", {}).values():
        yield from _methods(inner)
