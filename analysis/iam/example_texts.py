"""Texts that a pattern matches, to try a policy with: simple, and different where the difference may matter.

FRESH represents a text that doesn't occur in the policy: only wildcards match it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from analysis.iam.patterns import MANY, ONE, as_text

FRESH: Final = "\ufdd2"  # a noncharacter of Unicode, so no policy contains it
_PART: Final = "\ufdd3"  # a star that matches no colon
_STARS: Final = (MANY, _PART)
_WILD: Final = re.compile(r"[*?$]")
_LONG: Final = 40
MAX_COMPARED: Final = 400  # length of a pattern that can be compared with another


def examples(pattern: str) -> Iterator[str]:
    """Texts that match: with nothing, a short and a long text for each star."""
    text = as_text(pattern).replace(ONE, FRESH)
    for filling in ("", FRESH, FRESH * _LONG) if MANY in text else ("",):
        yield text.replace(MANY, filling)


@lru_cache(maxsize=20_000)
def common(pattern: str, other: str, *, arns: tuple[bool, bool] = (False, False)) -> str | None:
    """A text that matches both patterns, with FRESH where both leave it open; None if there is none.

    `arns`: which of them are patterns of ARNs, where `*` matches no colon except in the last part.
    Raises ValueError if they are too long to compare.
    """
    if not any(_WILD.search(word) for word in (pattern, other)):
        return pattern if pattern == other else None
    first, second = _tokens(pattern, arn=arns[0]), _tokens(other, arn=arns[1])
    if max(len(first), len(second)) > MAX_COMPARED:
        raise ValueError(f"a pattern of more than {MAX_COMPARED} characters")
    rows = _reachable(first, second)
    if not rows[len(first)][len(second)]:
        return None
    reversed_texts: list[str] = []
    i, j = len(first), len(second)
    while i or j:
        mine, theirs = first[i - 1] if i else "", second[j - 1] if j else ""
        for text, back_i, back_j in _steps(mine, theirs):
            if i >= back_i and j >= back_j and rows[i - back_i][j - back_j]:
                reversed_texts.append(text)
                i, j = i - back_i, j - back_j
                break
    return "".join(reversed(reversed_texts))


def _tokens(pattern: str, *, arn: bool) -> str:
    text = as_text(pattern)
    if not arn:
        return text
    *parts, last = text.split(":", 5)
    return ":".join((*(part.replace(MANY, _PART) for part in parts), last))


def _steps(mine: str, theirs: str) -> Iterator[tuple[str, int, int]]:
    """The ways in which the last tokens of two patterns may end a text: (the end, tokens of each that it uses).

    A star ends here, or matches a token of the other pattern and continues.
    """
    if mine in _STARS and theirs in _STARS:
        yield FRESH, 1, 0
    elif mine in _STARS:
        yield "", 1, 0
        if mine == MANY or theirs != ":":
            yield theirs.replace(ONE, FRESH), 0, 1
    elif theirs in _STARS:
        yield "", 0, 1
        if theirs == MANY or mine != ":":
            yield mine.replace(ONE, FRESH), 1, 0
    elif ONE in (mine, theirs):
        yield (theirs if mine == ONE else mine).replace(ONE, FRESH), 1, 1
    elif mine == theirs:
        yield mine, 1, 1
    if mine in _STARS and theirs in _STARS:
        yield "", 0, 1


def _reachable(first: str, second: str) -> list[list[bool]]:
    """[i][j]: the first i tokens of `first` and the first j of `second` have a text in common."""
    rows: list[list[bool]] = []
    for i in range(len(first) + 1):
        rows.append([])
        for j in range(len(second) + 1):
            mine, theirs = first[i - 1] if i else "", second[j - 1] if j else ""
            ways = ((i - a, j - b) for _, a, b in _steps(mine, theirs) if i >= a and j >= b)
            rows[i].append((i, j) == (0, 0) or any(rows[a][b] for a, b in ways))
    return rows
