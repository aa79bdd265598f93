"""The words of policies: patterns with `*` (any text) and `?` (exactly one character), against texts and each other.

Who writes policies in one account must not be able to hold up the analysis of all: nothing here takes long, whatever
the pattern. `${aws:username}` and the like are policy variables; `${*}`, `${?}` and `${$}` stand for the characters.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_VARIABLE: Final = re.compile(r"\$\{[^*?$}][^}]*\}")
_TOKEN: Final = re.compile(r"\$\{([*?$])\}|\*+|\?|.", re.DOTALL)
_WILD: Final = re.compile(r"[*?$]")

# What stands for `*` and `?` where a pattern is itself the text. Unicode has no such characters.
MANY, ONE = "\ufdd0", "\ufdd1"
_RUN: Final = re.compile(f"[{MANY}{ONE}]+")


def has_variable(word: str) -> bool:
    return _VARIABLE.search(word) is not None


def any_value(word: str) -> str:
    """The pattern whose variables may have any value."""
    return _VARIABLE.sub("*", word)


def literal_start(word: str) -> str:
    """What everything that it matches begins with."""
    return _WILD.split(word, maxsplit=1)[0]


@lru_cache(maxsize=20_000)
def expression(word: str) -> re.Pattern[str]:
    """Of texts, and of patterns in the spelling of `as_text`: `*` matches all of these, `?` all but one of any length.

    Each text between stars is looked for once, at its first place: that is enough, and it can't take long.
    """
    parts = [""]
    for token in as_text(word):
        if token == MANY:
            parts.append("")
        else:
            parts[-1] += f"[^{MANY}]" if token == ONE else re.escape(token)
    first, *others = parts
    middle = "".join(f"(?>.*?{part})" for part in others[:-1])
    return re.compile(first + middle + (f".*{others[-1]}" if others else ""), re.DOTALL)


@lru_cache(maxsize=20_000)
def as_text(word: str) -> str:
    """The pattern as a text, one character for each that it stands for; of equal runs of wildcards one spelling."""
    if not _WILD.search(word):
        return word
    tokens = []
    for token in _TOKEN.finditer(word):
        wild = {"*": MANY, "?": ONE}.get(token[0][0])
        tokens.append(wild or token[1] or token[0])
    # Of runs of wildcards the `?` first, and one `*`.
    return _RUN.sub(lambda run: ONE * run[0].count(ONE) + MANY * (MANY in run[0]), "".join(tokens))


def covers(word: str, other: str) -> bool:
    """Whether it matches everything that the other pattern matches. Never true of what it doesn't."""
    return expression(word).fullmatch(as_text(other)) is not None


@lru_cache(maxsize=20_000)
def overlaps(word: str, other: str) -> bool:
    """Whether some text matches both patterns."""
    one, two = as_text(word), as_text(other)
    # reached[j]: the first i tokens of one and the first j of two have a text in common.
    reached = [True, *(two[:j] == MANY for j in range(1, len(two) + 1))]
    for mine in one:
        row = [mine == MANY and reached[0]]
        for j, theirs in enumerate(two):
            if MANY in (mine, theirs):  # a star takes nothing, or what the other pattern has next
                row.append(row[j] or reached[j + 1])
            else:
                row.append(reached[j] and (mine == theirs or ONE in (mine, theirs)))
        reached = row
    return reached[-1]


@lru_cache(maxsize=20_000)
def _head(word: str) -> tuple[str, bool]:
    """What stands before its first star, and whether there is one."""
    head, star, _ = as_text(word).partition(MANY)
    return head, bool(star)


def goes_beyond(word: str, start: str) -> bool:
    """Whether it matches some text that begins so and goes on."""
    head, has_star = _head(word)
    if not has_star and len(head) <= len(start):
        return False
    return all(mine in (ONE, theirs) for mine, theirs in zip(head, start, strict=False))
