"""Ends a listing whose server always names another page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tasks.failures import CallFailed, Failure

MAX_EMPTY_PAGES: Final = 1_000  # in a row: a filter may leave many pages empty
MAX_EQUAL_PAGES: Final = 3  # in a row: the token for the next page is new each time, and nobody reads it
MAX_PAGES: Final = 100_000


class PageLimits:
    """The pages of one listing, each checked as it comes. A token that was used before, its reader notices itself."""

    def __init__(self, action: str) -> None:
        self._action = action
        self._pages = self._empty = self._equal = 0
        self._last: list[Any] = []

    def check(self, body: Any) -> None:
        """Raises CallFailed. `body`: the response, or the items."""
        items = list(_lists_in(body))
        self._pages += 1
        self._empty = 0 if items else self._empty + 1
        self._equal = self._equal + 1 if items and items == self._last else 1
        self._last = items
        if self._empty > MAX_EMPTY_PAGES:
            self._fail(f"{MAX_EMPTY_PAGES:,} pages in a row without an item, and there is a next one")
        if self._equal > MAX_EQUAL_PAGES:
            self._fail(f"{MAX_EQUAL_PAGES} pages in a row are the same, and there is a next one")
        if self._pages > MAX_PAGES:
            self._fail(f"more than {MAX_PAGES:,} pages")

    def _fail(self, reason: str) -> None:
        raise CallFailed(Failure.INVALID_RESPONSE, self._action, reason)


def _lists_in(body: Any, depth: int = 3) -> Iterator[Any]:
    """The lists of a response that aren't empty. Some services have them inside another object."""
    if isinstance(body, list) and body:
        yield body
    elif isinstance(body, Mapping) and depth:
        for value in body.values():
            yield from _lists_in(value, depth - 1)
