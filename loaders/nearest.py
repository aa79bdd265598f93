"""The known name that a mistyped one was probably meant to be."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(word: str, names: Iterable[str], *, count: int = 1) -> list[str]:
    """The names most like the word, best first; none where nothing comes close. That both are flags is no likeness."""
    by_text = {name.lstrip("-"): name for name in sorted(set(names))}
    return [by_text[text] for text in difflib.get_close_matches(word.lstrip("-"), by_text, n=count, cutoff=0.6)]


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """`; did you mean "sync"?`, to be put behind what is wrong, or an empty string."""
    found = nearest(word, names)
    return f'; did you mean "{found[0]}"?' if found else ""
