"""The resources that policies are evaluated for, and which of them the patterns of a statement match.

To allow reading the contents of a bucket, a policy names its objects, `arn:aws:s3:::bucket/*`, not the bucket. Objects
aren't in the graph, and there are too many of them. So a resource may be represented by its parts, of which a pattern
matches all, none, or some. `action_parts` determines which parts an action works on.
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
    """Parts of a resource: everything whose ARN continues the resource's ARN with `begins` and some text.

    among   the characters that this text may have; None: any
    word    replaces a word of the resource's ARN: (`:cluster:`, `:dbuser:`), for example
    """

    begins: str
    among: frozenset[str] | None = None
    word: tuple[str, str] | None = None

    def start(self, arn: str) -> str:
        """The common prefix of the ARNs of these parts."""
        return (arn.replace(*self.word, 1) if self.word else arn) + self.begins


ITSELF: Final = Part("")
MAX_REMEMBERED: Final = 2_000_000  # ARNs in cached results; about 8 bytes each


@dataclass(frozen=True, slots=True)
class Patterns:
    """The patterns of an element. `negated`: it matches all but these, as NotAction and NotResource do."""

    words: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Matched:
    """The ARNs that patterns match.

    conditional   with the patterns on which it depends, given the request: they have a policy variable
                  (`${aws:username}`), or match only some parts of the resource
    """

    always: frozenset[str]
    conditional: Mapping[str, tuple[str, ...]]


NOTHING: Final = Matched(frozenset(), {})


class Resources:
    """The ARNs that policies are evaluated for. What a pattern matches is computed once for all statements.

    `parts`: which parts of each are meant: for a bucket its objects, for example, rather than ITSELF.
    """

    def __init__(self, arns: Iterable[str], parts: Sequence[Part] = (ITSELF,)) -> None:
        self._all = frozenset(arns)
        self._parts = [_Starts(self._all, part) for part in parts]
        self._by_word: dict[str, list[Matched]] = {}
        self._by_patterns: dict[Patterns, Matched] = {}
        self._remembered = 0

    def matching(self, patterns: Patterns) -> Matched:
        matched = self._by_patterns.get(patterns)
        if matched is None:
            if self._remembered > MAX_REMEMBERED:
                self._by_word.clear()
                self._by_patterns.clear()
                self._remembered = 0
            matched = self._by_patterns[patterns] = self._match(patterns)
            self._remember(matched)
        return matched

    def _match(self, patterns: Patterns) -> Matched:
        matched = [self._matching(word) for word in patterns.words]
        whole = frozenset.intersection(  # each part is matched completely, by any of the words
            *(frozenset().union(*(word[at].always for word in matched)) for at in range(len(self._parts)))
        )
        words: defaultdict[str, list[str]] = defaultdict(list)
        for word, parts in zip(patterns.words, matched, strict=True):
            partly = frozenset().union(*(part.always for part in parts), *(part.conditional for part in parts))
            for arn in partly - whole:
                words[arn].append(word)
        always = self._all - whole - words.keys() if patterns.negated else whole
        return Matched(always, {arn: tuple(of_arn) for arn, of_arn in words.items()})

    def _matching(self, word: str) -> list[Matched]:
        """The result for each part."""
        matched = self._by_word.get(word)
        if matched is None:
            matched = self._by_word[word] = [part.match(word) for part in self._parts]
            for part in matched:
                self._remember(part)
        return matched

    def _remember(self, matched: Matched) -> None:
        self._remembered += len(matched.always) + len(matched.conditional)


class _Starts:
    """The prefixes of the ARNs of one part of each resource."""

    def __init__(self, arns: Iterable[str], part: Part) -> None:
        self._part, self._itself = part, part == ITSELF
        self._arns = {part.start(arn): arn for arn in arns}
        self._starts = sorted(self._arns)
        self._ends = re.compile(f"(?={re.escape(part.begins)})")

    def match(self, word: str) -> Matched:
        pattern = any_value(word)
        always, conditional = set[str](), set[str]()
        for start in self._candidates(literal_start(pattern)):
            if self._itself:
                if expression(pattern).fullmatch(start):
                    always.add(start)
            elif covers(pattern, f"{start}?*"):
                always.add(self._arns[start])
            elif goes_beyond(pattern, start, self._part.among):
                conditional.add(self._arns[start])
        if has_variable(word):
            always, conditional = set(), always | conditional
        if not (always or conditional):
            return NOTHING
        return Matched(frozenset(always), dict.fromkeys(conditional, (word,)))

    def _candidates(self, begins: str) -> Iterator[str]:
        """The prefixes that begin with this text, and those that this text begins with."""
        first, end = (bisect_left(self._starts, text) for text in (begins, begins + chr(sys.maxunicode)))
        yield from self._starts[first:end]
        if not self._itself:
            shorter = (begins[: at.start() + len(self._part.begins)] for at in self._ends.finditer(begins))
            yield from (start for start in shorter if len(start) < len(begins) and start in self._arns)
