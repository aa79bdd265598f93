"""Lists of Markdown, wrapped as the pages are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

MAX_COLUMNS: Final = 100


def bullet(*words: str) -> str:
    """An item of a list, wrapped as the pages are. Words are kept whole."""
    lines = [""]
    for word in " ".join(words).split(" "):
        if len(lines[-1]) + len(word) + 3 > MAX_COLUMNS:
            lines.append("")
        lines[-1] += f" {word}" if lines[-1] else word
    return "- " + "\n  ".join(lines)


def listed(words: Iterable[str]) -> list[str]:
    """With commas between them."""
    *first, last = words
    return [*(f"{word}," for word in first), last]
