"""Paragraphs and lists of Markdown, wrapped as the pages are."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import Final

MAX_COLUMNS: Final = 100


def paragraph(text: str) -> str:
    """Wrapped. Words are kept whole."""
    return "\n".join(_lines(text, MAX_COLUMNS))


def bullet(*words: str) -> str:
    """An item of a list, wrapped. Words are kept whole."""
    return "- " + "\n  ".join(_lines(" ".join(words), MAX_COLUMNS - 2))


def _lines(text: str, columns: int) -> list[str]:
    return textwrap.wrap(text, columns, break_long_words=False, break_on_hyphens=False)


def listed(words: Iterable[str]) -> list[str]:
    """With commas between them."""
    *first, last = words
    return [*(f"{word}," for word in first), last]
