"""And and or over results of which some aren't known (None)."""

from __future__ import annotations

from collections.abc import Iterable


def every(results: Iterable[bool | None]) -> bool | None:
    known = list(results)
    return False if False in known else None if None in known else True


def some(results: Iterable[bool | None]) -> bool | None:
    known = list(results)
    return True if True in known else None if None in known else False
