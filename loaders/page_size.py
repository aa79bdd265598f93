"""How much one transaction takes: halved where that needs more memory or time than a transaction may have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from loaders.causes import is_too_much

T = TypeVar("T")
R = TypeVar("R")

SMALLEST: Final = 50  # nodes, relationships or rows: what is too much even then fails


class PageSize:
    """The number of tries is bounded: by a step of the barrier, or a cleanup, 1,000 are halved five times at most."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.smallest = min(size, SMALLEST)
        self.was_reduced = False

    def fit(self, write: Callable[[int], T]) -> T:
        """`write`: one transaction that takes up to so many. Raises what it raised at the smallest size."""
        while True:
            try:
                return write(self.size)
            except Exception as error:
                if self.size == self.smallest or not is_too_much(error):
                    raise
                self.size = max(self.size // 2, self.smallest)
                self.was_reduced = True


def in_pages(rows: Sequence[R], size: PageSize, write: Callable[[Sequence[R]], object]) -> None:
    """Write all rows, one page per transaction."""
    start = 0

    def page(length: int) -> int:
        write(rows[start : start + length])
        return length

    while start < len(rows):
        start += size.fit(page)
