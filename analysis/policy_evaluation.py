"""What IAM policies say of an action, by AWS's rules, for many resources at once. Pure: statements in, `Access` out.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html

Whether a condition holds depends on the request. So conditions are carried along: an answer says under which of them
something is allowed or denied, and none is ever taken for granted.
"""

from __future__ import annotations

import json
import re
import sys
from bisect import bisect_left
from collections import ChainMap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

# JSON text of a list that holds a statement's condition, as AWSPolicyStatement has it.
Condition = str
# Any one of them is enough; where there is none, nothing has to hold. That it never is so, is absence, or None.
Conditions = frozenset[Condition]

ALWAYS: Final[Conditions] = frozenset()


def either(one: Conditions | None, other: Conditions | None) -> Conditions | None:
    """What two say together."""
    if one is None or other is None:
        return other if one is None else one
    return one | other if one and other else ALWAYS


def only_if(condition: Condition | None) -> Conditions:
    return frozenset({condition}) if condition else ALWAYS


@dataclass(frozen=True, slots=True)
class Patterns:
    """Words with `*` (any text) and `?` (exactly one character). `but`: all but these, as NotAction has it."""

    words: tuple[str, ...]
    but: bool = False

    def match_action(self, action: str) -> bool:
        """Letter case doesn't matter in actions."""
        return any(_expression(word.lower()).fullmatch(action.lower()) for word in self.words) is not self.but


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of a policy that a principal has, or that is its boundary."""

    allows: bool
    actions: Patterns
    resources: Patterns
    condition: Condition | None = None

    @classmethod
    def of(cls, node: Mapping[str, Any]) -> Statement:
        """From the properties of an AWSPolicyStatement."""
        return cls(
            allows=node["effect"] == "Allow",
            actions=patterns(node["action"], node["notaction"]),
            resources=patterns(node["resource"], node["notresource"]),
            condition=node["condition"],
        )


def patterns(these: Iterable[str] | None, all_but: Iterable[str] | None) -> Patterns:
    """Of an element, or of its opposite: a statement has one of both."""
    return Patterns(tuple(these or ())) if all_but is None else Patterns(tuple(all_but), but=True)


@dataclass(frozen=True, slots=True)
class Matched:
    """`perhaps`: it depends on who asks, as the pattern holds a policy variable (`${aws:username}`)."""

    surely: frozenset[str]
    perhaps: frozenset[str]


class Resources:
    """The ARNs that are asked about. What a pattern matches among them is found once for all statements."""

    def __init__(self, arns: Iterable[str]) -> None:
        self._arns = sorted(set(arns))
        self._all = frozenset(self._arns)
        self._by_word: dict[str, frozenset[str]] = {}
        self._by_patterns: dict[Patterns, Matched] = {}

    def matching(self, patterns: Patterns) -> Matched:
        found = self._by_patterns.get(patterns)
        if found is None:
            found = self._by_patterns[patterns] = self._match(patterns)
        return found

    def _match(self, patterns: Patterns) -> Matched:
        plain = self._matching_any(word for word in patterns.words if not _VARIABLE.search(word))
        perhaps = self._matching_any(_VARIABLE.sub("*", word) for word in patterns.words if _VARIABLE.search(word))
        return Matched(self._all - plain - perhaps if patterns.but else plain, perhaps - plain)

    def _matching_any(self, words: Iterable[str]) -> frozenset[str]:
        return frozenset().union(*(self._matching_word(word) for word in words))

    def _matching_word(self, word: str) -> frozenset[str]:
        if word not in self._by_word:
            start = re.split(r"[*?$]", word, maxsplit=1)[0]
            first, end = bisect_left(self._arns, start), bisect_left(self._arns, start + chr(sys.maxunicode))
            expression = _expression(word)
            self._by_word[word] = frozenset(arn for arn in self._arns[first:end] if expression.fullmatch(arn))
        return self._by_word[word]


@dataclass(frozen=True, slots=True)
class Access:
    """What policies say of one action, by resource. What is in neither isn't allowed, though nothing forbids it."""

    allow: Mapping[str, Conditions]
    deny: Mapping[str, Conditions]


def access(statements: Iterable[Statement], action: str, resources: Resources) -> Access:
    """What the statements say together: of all policies that a principal has, or of its boundary."""
    allow: dict[str, Conditions] = {}
    deny: dict[str, Conditions] = {}
    for statement in statements:
        if statement.actions.match_action(action):
            said = allow if statement.allows else deny
            found = resources.matching(statement.resources)
            _say(said, found.surely, only_if(statement.condition))
            if found.perhaps:
                _say(said, found.perhaps, only_if(_with_variables(statement)))
    return Access(allow, deny)


def _say(said: dict[str, Conditions], arns: frozenset[str], conditions: Conditions) -> None:
    """One more statement about these resources. Conditions add nothing where none has to hold."""
    if not conditions:
        said.update(dict.fromkeys(arns, ALWAYS))
        return
    for arn in arns:
        known = said.get(arn)
        if known is None or known:
            said[arn] = conditions | (known or conditions)


def _with_variables(statement: Statement) -> Condition:
    """The condition, and under the element's name the patterns whose variables have to fit."""
    name = "NotResource" if statement.resources.but else "Resource"
    words = [word for word in statement.resources.words if _VARIABLE.search(word)]
    return also(statement.condition, {name: words})


def also(condition: Condition | None, more: Mapping[str, Any]) -> Condition:
    """A condition with what else has to be so."""
    said = json.loads(condition) if condition else []
    return json.dumps([dict(ChainMap(dict(more), *said))])


_VARIABLE: Final = re.compile(r"\$\{[^*?$}][^}]*\}")  # ${*}, ${?} and ${$} stand for these characters themselves
_TOKEN: Final = re.compile(r"\$\{([*?$])\}|\*+|\?")


@lru_cache(maxsize=20_000)
def _expression(word: str) -> re.Pattern[str]:
    """Each text between stars is looked for once, at its first place: that is enough, and no pattern takes long. Who
    writes policies in one account must not be able to hold up the analysis of all.
    """
    parts, position = [""], 0
    for token in _TOKEN.finditer(word):
        parts[-1] += re.escape(word[position : token.start()])
        position = token.end()
        if token[0].startswith("*"):
            parts.append("")
        else:
            parts[-1] += re.escape(token[1]) if token[1] else "."
    parts[-1] += re.escape(word[position:])
    first, *others = parts
    middle = "".join(f"(?>.*?{part})" for part in others[:-1])
    return re.compile(first + middle + (f".*{others[-1]}" if others else ""), re.DOTALL)
