"""What IAM policies say of an action, by AWS's rules, for many resources at once. Pure: statements in, `Access` out.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html

Whether a condition holds depends on the request. What of it depends on who asks, and for what, is decided where that is
known (`resolved`). The rest is carried along: a response says under which conditions something is allowed or denied,
and
none is ever taken for granted.
"""

from __future__ import annotations

import json
from collections import ChainMap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

from analysis.iam.known_conditions import decide, depends
from analysis.iam.patterns import any_value, covers, has_variable, overlaps
from analysis.iam.request_context import Context
from analysis.iam.resources import Patterns, Resources
from analysis.iam.variables import are_known_to, put_in, without_variables

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
class Statement:
    """A statement of a policy that a principal has, or that is its boundary."""

    allows: bool
    actions: Patterns
    resources: Patterns
    condition: Condition | None = None

    @classmethod
    def of(cls, node: Mapping[str, Any]) -> Statement:
        """From the properties of an AWSPolicyStatement, and its policy's `language_version`."""
        resources, condition = patterns(node["resource"], node["notresource"]), node["condition"]
        if not are_known_to(node.get("language_version")):
            resources = replace(resources, words=tuple(without_variables(list(resources.words))))
            condition = condition and as_of_2008(condition)
        return cls(
            allows=node["effect"] == "Allow",
            actions=patterns(node["action"], node["notaction"]),
            resources=resources,
            condition=condition,
        )

    def applies_to(self, action: str) -> bool:
        """`action` may be a pattern: who allows must mean all that it means, and who denies any of it."""
        return all_of(self.actions, action) if self.allows else any_of(self.actions, action)

    @property
    def depends(self) -> bool:
        """Whether it says something else to another principal."""
        return _has_variables(self.resources) or (self.condition is not None and depends(self.condition))

    @property
    def depends_on_resource(self) -> bool:
        return self.condition is not None and depends(self.condition, on_resource=True)


@lru_cache(maxsize=20_000)
def _has_variables(patterns: Patterns) -> bool:
    return any(map(has_variable, patterns.words))


def as_of_2008(condition: Condition) -> Condition:
    """A condition of before 2012, in the words of today."""
    return json.dumps([without_variables(one) for one in json.loads(condition)])


def resolved(statements: Iterable[Statement], context: Context) -> tuple[Statement, ...]:
    """What statements say where so much is known of a request: none whose condition is false, or that names nothing."""
    return tuple(left for statement in statements if (left := _resolved(statement, context)) is not None)


def _resolved(statement: Statement, context: Context) -> Statement | None:
    if not (statement.depends or statement.depends_on_resource):
        return statement
    known = [word for one in statement.resources.words if (word := put_in(one, context)) is not None]
    if not known and not statement.resources.but:
        return None
    condition = decide(statement.condition, context) if statement.condition else True
    if condition is False:
        return None
    return Statement(
        statement.allows,
        statement.actions,
        Patterns(tuple(known), statement.resources.but),
        None if condition is True else condition,
    )


def patterns(these: Iterable[str] | None, all_but: Iterable[str] | None) -> Patterns:
    """Of an element, or of its opposite: a statement has one of both."""
    return Patterns(tuple(these or ())) if all_but is None else Patterns(tuple(all_but), but=True)


def all_of(actions: Patterns, action: str) -> bool:
    """Whether they mean the action, or all actions that it means. Letter case doesn't matter in actions."""
    same = overlaps if actions.but else covers
    return any(same(word.lower(), action.lower()) for word in actions.words) is not actions.but


def any_of(actions: Patterns, action: str) -> bool:
    """Whether they mean the action, or any action that it means."""
    same = covers if actions.but else overlaps
    return any(same(word.lower(), action.lower()) for word in actions.words) is not actions.but


@dataclass(frozen=True, slots=True)
class Access:
    """What policies say of one action, by resource. What is in neither isn't allowed, though nothing forbids it."""

    allow: Mapping[str, Conditions]
    deny: Mapping[str, Conditions]


def access(statements: Iterable[Statement], action: str, resources: Resources) -> Access:
    """What the statements say together: of all policies that a principal has, or of its boundary.

    `action` may be a pattern: allowed is then what is allowed for all that it means, denied what is for any of it.
    """
    return said_of((statement for statement in statements if statement.applies_to(action)), resources)


def said_of(statements: Iterable[Statement], resources: Resources) -> Access:
    """What statements that apply to an action say of it together."""
    allow: dict[str, Conditions] = {}
    deny: dict[str, Conditions] = {}
    for statement in statements:
        said = allow if statement.allows else deny
        found = resources.matching(statement.resources)
        _say(said, found.surely, only_if(statement.condition))
        for arn, words in found.perhaps.items():
            _say(said, (arn,), frozenset({_with_words(statement.condition, words, but=statement.resources.but)}))
    return Access(allow, deny)


def _say(said: dict[str, Conditions], arns: Iterable[str], conditions: Conditions) -> None:
    """One more statement about these resources. Conditions add nothing where none has to hold."""
    if not conditions:
        said.update(dict.fromkeys(arns, ALWAYS))
        return
    for arn in arns:
        known = said.get(arn)
        if known is None or known:
            said[arn] = conditions | (known or conditions)


@lru_cache(maxsize=20_000)
def _with_words(condition: Condition | None, words: tuple[str, ...], *, but: bool) -> Condition:
    """The condition, and under the element's name the patterns that the resource of the request has to match."""
    return also(condition, {"NotResource" if but else "Resource": list(words)})


def also(condition: Condition | None, more: Mapping[str, Any]) -> Condition:
    """A condition with what else has to be so."""
    said = json.loads(condition) if condition else []
    return json.dumps([dict(ChainMap(dict(more), *said))])


def not_always_denied(allow: Conditions, deny: Conditions) -> Conditions | None:
    """What is allowed, without parts of a resource that are always denied; None where that is all of it."""
    denied = [word for text in deny for word in _part(text, alone=True) if not has_variable(word)]
    if not denied:
        return allow
    left = frozenset(text for text in allow if not _within(_part(text), denied))
    return left or (None if allow else ALWAYS)


@lru_cache(maxsize=20_000)
def _part(condition: Condition, *, alone: bool = False) -> tuple[str, ...]:
    """The part of a resource that a condition is limited to. `alone`: where nothing else has to hold."""
    elements = ChainMap(*json.loads(condition))
    return () if alone and len(elements) > 1 else tuple(elements.get("Resource", ()))


def _within(part: Iterable[str], denied: Iterable[str]) -> bool:
    words = [any_value(word) for word in part]
    return bool(words) and all(any(covers(other, word) for other in denied) for word in words)
