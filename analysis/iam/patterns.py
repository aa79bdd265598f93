"""Patterns in policies, with `*` (any text) and `?` (exactly one character): matched against texts and each other.

Somebody who writes policies in one account must not be able to stall the analysis of all accounts: nothing here takes
long for any pattern. `${aws:username}` and the like are policy variables; `${*}`, `${?}` and `${$}` are the characters.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

# No name of a variable is as long: without the bound, the time to search grows with the square of the text.
_VARIABLE: Final = re.compile(r"\$\{[^*?$}][^}]{0,500}\}")
_TOKEN: Final = re.compile(r"\$\{([*?$])\}|\*+|\?|.", re.DOTALL)
_WILD: Final = re.compile(r"[*?$]")

# Represent `*` and `?` where a pattern is itself the text. They are noncharacters of Unicode.
MANY, ONE = "\ufdd0", "\ufdd1"
_RUN: Final = re.compile(f"[{MANY}{ONE}]+")


def has_variable(word: str) -> bool:
    return _VARIABLE.search(word) is not None


def any_value(word: str) -> str:
    """The pattern with `*` for each variable."""
    return _VARIABLE.sub("*", word)


def literal_start(word: str) -> str:
    """The common prefix of everything that it matches."""
    return _WILD.split(word, maxsplit=1)[0]


def expression(word: str) -> re.Pattern[str]:
    """Matches texts, and patterns in the form of `as_text`: `*` matches any part of those, `?` anything but a star."""
    return _compiled(as_text(word))


@lru_cache(maxsize=20_000)
def _compiled(pattern: str) -> re.Pattern[str]:
    """Searches each text between stars only once, at its first position: that suffices, and takes linear time."""
    parts = [""]
    for token in pattern:
        if token == MANY:
            parts.append("")
        else:
            parts[-1] += f"[^{MANY}]" if token == ONE else re.escape(token)
    first, *others = parts
    middle = "".join(f"(?>.*?{part})" for part in others[:-1])
    return re.compile(first + middle + (f".*{others[-1]}" if others else ""), re.DOTALL)


@lru_cache(maxsize=20_000)
def as_text(word: str) -> str:
    """The pattern as a text, one character per token, with runs of wildcards in a canonical order."""
    if not _WILD.search(word):
        return word
    tokens = []
    for token in _TOKEN.finditer(word):
        wild = {"*": MANY, "?": ONE}.get(token[0][0])
        tokens.append(wild or token[1] or token[0])
    # In a run of wildcards, all `?` first, then at most one `*`.
    return _RUN.sub(lambda run: ONE * run[0].count(ONE) + MANY * (MANY in run[0]), "".join(tokens))


def covers(word: str, other: str) -> bool:
    """Whether it matches everything that the other pattern matches. Never true if it doesn't."""
    return expression(word).fullmatch(as_text(other)) is not None


@lru_cache(maxsize=20_000)
def overlaps(word: str, other: str) -> bool:
    """Whether some text matches both patterns."""
    first, second = as_text(word), as_text(other)
    # reached[j]: the tokens of `first` so far and the first j tokens of `second` have a text in common.
    reached = [True, *(second[:j] == MANY for j in range(1, len(second) + 1))]
    for mine in first:
        row = [mine == MANY and reached[0]]
        for j, theirs in enumerate(second):
            if MANY in (mine, theirs):  # a star matches nothing, or the next token of the other pattern
                row.append(row[j] or reached[j + 1])
            else:
                row.append(reached[j] and (mine == theirs or ONE in (mine, theirs)))
        reached = row
    return reached[-1]


def goes_beyond(word: str, start: str, among: frozenset[str] | None = None) -> bool:
    """Whether it matches some longer text with this start. `among`: the characters that may follow."""
    pattern = as_text(word)
    outside = _last_outside(pattern, among) if among is not None else 0
    if not outside:
        return _goes_beyond(pattern, start)
    # The last character that must not follow lies within the start, at any occurrence of that character.
    first, rest = pattern[:outside], pattern[outside:]
    ends = (at for at, character in enumerate(start, start=1) if character == first[-1])
    return any(_goes_beyond(rest, start[end:]) and _compiled(first).fullmatch(start[:end]) for end in ends)


def _goes_beyond(pattern: str, start: str) -> bool:
    head, star, _ = pattern.partition(MANY)
    if not star and len(head) <= len(start):
        return False
    return all(mine in (ONE, theirs) for mine, theirs in zip(head, start, strict=False))


@lru_cache(maxsize=20_000)
def _last_outside(pattern: str, among: frozenset[str]) -> int:
    """The end position of the last character that isn't among these; 0 if all are."""
    at = len(pattern)
    while at and (pattern[at - 1] in (MANY, ONE) or pattern[at - 1] in among):
        at -= 1
    return at
