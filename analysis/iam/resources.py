"""The resources that policies are asked about, and what the patterns of a statement mean among them.

Policies don't name a bucket to let somebody read what is in it, but its objects: `arn:aws:s3:::bucket/*`. These aren't
in the graph, and there is no end of them. So a resource may be asked about by its parts: then a pattern means all of
them, none, or some. Which parts there are, `action_parts` says.
"""

from __future__ import annotations

import re
import sys
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from analysis.iam.patterns import any_value, covers, expression, goes_beyond, has_variable, literal_start


@dataclass(frozen=True, slots=True)
class Part:
    """What of a resource is asked about: all whose ARNs go on from the resource's with `begins` and some text.

    among   the characters of that text; None: any
    word    what stands in the ARN in the place of the resource's own: `:cluster:` and `:dbuser:`, say
    """

    begins: str
    among: frozenset[str] | None = None
    word: tuple[str, str] | None = None

    def start(self, arn: str) -> str:
        """How the ARNs of such a part of a resource begin."""
        return (arn.replace(*self.word, 1) if self.word else arn) + self.begins


ITSELF: Final = Part("")
MAX_REMEMBERED: Final = 2_000_000  # ARNs in responses; some 8 bytes each


@dataclass(frozen=True, slots=True)
class Patterns:
    """What an element of a statement names. `but`: all but these, as NotAction and NotResource have it."""

    words: tuple[str, ...]
    but: bool = False


@dataclass(frozen=True, slots=True)
class Matched:
    """`perhaps`: it depends on the request, and on which of the words: who asks, as a word holds a policy variable
    (`${aws:username}`), or for which part of the resource.
    """

    surely: frozenset[str]
    perhaps: Mapping[str, tuple[str, ...]]


NOTHING: Final = Matched(frozenset(), {})


class Resources:
    """The ARNs that are asked about. What a pattern matches among them is found once for all statements.

    `parts`: what of each is asked about: for a bucket its objects, say, and not ITSELF.
    """

    def __init__(self, arns: Iterable[str], parts: Sequence[Part] = (ITSELF,)) -> None:
        self._all = frozenset(arns)
        self._parts = [_Starts(self._all, part) for part in parts]
        self._by_word: dict[str, list[Matched]] = {}
        self._by_patterns: dict[Patterns, Matched] = {}
        self._remembered = 0

    def matching(self, patterns: Patterns) -> Matched:
        found = self._by_patterns.get(patterns)
        if found is None:
            if self._remembered > MAX_REMEMBERED:
                self._by_word.clear()
                self._by_patterns.clear()
                self._remembered = 0
            found = self._by_patterns[patterns] = self._match(patterns)
            self._remember(found)
        return found

    def _match(self, patterns: Patterns) -> Matched:
        matched = [self._matching(word) for word in patterns.words]
        whole = frozenset.intersection(  # of each part all is matched, by one word or another
            *(frozenset().union(*(word[at].surely for word in matched)) for at in range(len(self._parts)))
        )
        words: defaultdict[str, list[str]] = defaultdict(list)
        for word, found in zip(patterns.words, matched, strict=True):
            for arn in frozenset().union(*(part.surely for part in found), *(part.perhaps for part in found)) - whole:
                words[arn].append(word)
        surely = self._all - whole - words.keys() if patterns.but else whole
        return Matched(surely, {arn: tuple(some) for arn, some in words.items()})

    def _matching(self, word: str) -> list[Matched]:
        """By part."""
        found = self._by_word.get(word)
        if found is None:
            found = self._by_word[word] = [part.match(word) for part in self._parts]
            for one in found:
                self._remember(one)
        return found

    def _remember(self, found: Matched) -> None:
        self._remembered += len(found.surely) + len(found.perhaps)


class _Starts:
    """How the ARNs of a part of each resource begin."""

    def __init__(self, arns: Iterable[str], part: Part) -> None:
        self._part, self._itself = part, part == ITSELF
        self._arns = {part.start(arn): arn for arn in arns}
        self._starts = sorted(self._arns)
        self._ends = re.compile(f"(?={re.escape(part.begins)})")

    def match(self, word: str) -> Matched:
        pattern = any_value(word)
        surely, some = set(), set()
        for start in self._candidates(literal_start(pattern)):
            if self._itself:
                if expression(pattern).fullmatch(start):
                    surely.add(start)
            elif covers(pattern, f"{start}?*"):
                surely.add(self._arns[start])
            elif goes_beyond(pattern, start, self._part.among):
                some.add(self._arns[start])
        if has_variable(word):
            surely, some = set(), surely | some
        return Matched(frozenset(surely), dict.fromkeys(some, (word,))) if surely or some else NOTHING

    def _candidates(self, begins: str) -> Iterator[str]:
        """Those that begin so, and those that it begins with."""
        first, end = (bisect_left(self._starts, text) for text in (begins, begins + chr(sys.maxunicode)))
        yield from self._starts[first:end]
        if not self._itself:
            shorter = (begins[: at.start() + len(self._part.begins)] for at in self._ends.finditer(begins))
            yield from (start for start in shorter if len(start) < len(begins) and start in self._arns)
