"""The names of parts: the ids of their items, one after the other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tasks.failures import CallFailed, Failure

SEPARATOR: Final = ","


def check_ids(action: str, ids: Iterable[str]) -> None:
    """Raises CallFailed for an id that would read as several, or that can't be kept in a name."""
    for id_ in ids:
        if SEPARATOR in id_ or not id_.isprintable():
            raise CallFailed(Failure.INVALID_RESPONSE, action, f"{id_!r:.60} is not an id")
