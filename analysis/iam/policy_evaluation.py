"""Evaluates IAM policies by AWS's rules, for one action and many resources at once. Pure: statements in, `Access` out.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html

Whether a condition holds depends on the request. The part that depends on the principal and the resource is decided if
these are known (`resolved`). The rest is part of the result: it states under which conditions something is allowed or
denied, and no condition is ever assumed to hold.
"""

from __future__ import annotations

import json
from collections import ChainMap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final

from analysis.iam.known_conditions import decide, depends
from analysis.iam.patterns import any_value, covers, has_variable, overlaps
from analysis.iam.policy_variables import are_supported, escape_dollars, substitute
from analysis.iam.request_context import Context
from analysis.iam.resources import Patterns, Resources

# JSON text of a list with a statement's condition, as AWSPolicyStatement has it.
Condition = str
# One of them is enough; if there are none, nothing has to hold. "Never" is represented by absence, or by None.
Conditions = frozenset[Condition]

ALWAYS: Final[Conditions] = frozenset()


def any_of(first: Conditions | None, second: Conditions | None) -> Conditions | None:
    """The union of two alternatives."""
    if first is None or second is None:
        return second if first is None else first
    return first | second if first and second else ALWAYS


def conditional(condition: Condition | None) -> Conditions:
    """Holds if the condition does; always without one."""
    return frozenset({condition}) if condition else ALWAYS


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of a principal's policy or of its boundary. `id`: of its node, `<policy>/statement/1`."""

    allows: bool
    actions: Patterns
    resources: Patterns
    condition: Condition | None = None
    id: str = field(default="", compare=False)

    @property
    def policy(self) -> str:
        """The id of its policy."""
        return self.id.rpartition("/statement/")[0]

    @classmethod
    def of(cls, node: Mapping[str, Any]) -> Statement:
        """From the properties of an AWSPolicyStatement and its policy's `language_version`."""
        resources, condition = patterns(node["resource"], node["notresource"]), node["condition"]
        if not are_supported(node.get("language_version")):
            resources = replace(resources, words=tuple(escape_dollars(list(resources.words))))
            condition = condition and escape_variables(condition)
        return cls(
            allows=node["effect"] == "Allow",
            actions=patterns(node["action"], node["notaction"]),
            resources=resources,
            condition=condition,
            id=node.get("id", ""),
        )

    def applies_to(self, action: str) -> bool:
        """`action` may be a pattern: an Allow must match all of its actions, a Deny any of them."""
        return matches_all(self.actions, action) if self.allows else matches_any(self.actions, action)

    @property
    def depends(self) -> bool:
        """Whether its meaning depends on the principal."""
        return _has_variables(self.resources) or (self.condition is not None and depends(self.condition))

    @property
    def depends_on_resource(self) -> bool:
        return self.condition is not None and depends(self.condition, on_resource=True)


@lru_cache(maxsize=20_000)
def _has_variables(patterns: Patterns) -> bool:
    return any(map(has_variable, patterns.words))


def escape_variables(condition: Condition) -> Condition:
    """A condition from before 2012, when policies had no variables, in the present language."""
    return json.dumps([escape_dollars(block) for block in json.loads(condition)])


ALLOW_ALL: Final = Statement(allows=True, actions=Patterns(("*",)), resources=Patterns(("*",)))


def resolved(statements: Iterable[Statement], context: Context) -> tuple[Statement, ...]:
    """Statements in a known context, without those whose condition is false or that name nothing."""
    return tuple(left for statement in statements if (left := _resolved(statement, context)) is not None)


def _resolved(statement: Statement, context: Context) -> Statement | None:
    if not (statement.depends or statement.depends_on_resource):
        return statement
    known = [text for word in statement.resources.words if (text := substitute(word, context)) is not None]
    if not known and not statement.resources.negated:
        return None
    condition = decide(statement.condition, context) if statement.condition else True
    if condition is False:
        return None
    return Statement(
        statement.allows,
        statement.actions,
        Patterns(tuple(known), statement.resources.negated),
        None if condition is True else condition,
        statement.id,
    )


def patterns(these: Iterable[str] | None, all_but: Iterable[str] | None) -> Patterns:
    """From an element or its negation: a statement has one of the two."""
    return Patterns(tuple(these or ())) if all_but is None else Patterns(tuple(all_but), negated=True)


def matches_all(actions: Patterns, action: str) -> bool:
    """Whether they match the action, or all actions of a pattern. Letter case doesn't matter in actions."""
    matches = overlaps if actions.negated else covers
    return any(matches(word.lower(), action.lower()) for word in actions.words) is not actions.negated


def matches_any(actions: Patterns, action: str) -> bool:
    """Whether they match the action, or any action of a pattern."""
    matches = covers if actions.negated else overlaps
    return any(matches(word.lower(), action.lower()) for word in actions.words) is not actions.negated


@dataclass(frozen=True, slots=True)
class Access:
    """The result for one action, by resource. A resource in neither is not allowed, though not explicitly denied."""

    allow: Mapping[str, Conditions]
    deny: Mapping[str, Conditions]


def access(statements: Iterable[Statement], action: str, resources: Resources) -> Access:
    """The combined result of the statements: of all policies that a principal has, or of its boundary.

    `action` may be a pattern: then allowed means for all of its actions, and denied for any of them.
    """
    return combined((statement for statement in statements if statement.applies_to(action)), resources)


def combined(statements: Iterable[Statement], resources: Resources) -> Access:
    """The combined result of statements that all apply to the action."""
    allow: dict[str, Conditions] = {}
    deny: dict[str, Conditions] = {}
    for statement in statements:
        access_of = allow if statement.allows else deny
        matched = resources.matching(statement.resources)
        _add(access_of, matched.always, conditional(statement.condition))
        for arn, words in matched.conditional.items():
            condition = with_words(statement.condition, words, negated=statement.resources.negated)
            _add(access_of, (arn,), conditional(condition))
    return Access(allow, deny)


def _add(access_of: dict[str, Conditions], arns: Iterable[str], conditions: Conditions) -> None:
    """Add a statement for these resources. Conditions add nothing to what is unconditional already."""
    if not conditions:
        access_of.update(dict.fromkeys(arns, ALWAYS))
        return
    for arn in arns:
        known = access_of.get(arn)
        if known is None or known:
            access_of[arn] = conditions | (known or conditions)


@lru_cache(maxsize=20_000)
def with_words(condition: Condition | None, words: tuple[str, ...], *, negated: bool) -> Condition:
    """The condition, plus the patterns that the request's resource must match, under the element's name."""
    return with_elements(condition, {"NotResource" if negated else "Resource": list(words)})


def with_elements(condition: Condition | None, more: Mapping[str, Any]) -> Condition:
    """The condition, plus further elements that must hold as well."""
    blocks = json.loads(condition) if condition else []
    return json.dumps([dict(ChainMap(dict(more), *blocks))])


def not_always_denied(allow: Conditions, deny: Conditions) -> Conditions | None:
    """What is allowed, without parts of a resource that are always denied; None if nothing is left."""
    denied = [word for text in deny for word in _part(text, alone=True) if not has_variable(word)]
    if not denied:
        return allow
    left = frozenset(text for text in allow if not _within(_part(text), denied))
    return left or (None if allow else ALWAYS)


@lru_cache(maxsize=20_000)
def _part(condition: Condition, *, alone: bool = False) -> tuple[str, ...]:
    """The part of a resource that a condition is limited to. `alone`: only if nothing else has to hold."""
    elements = ChainMap(*json.loads(condition))
    return () if alone and len(elements) > 1 else tuple(elements.get("Resource", ()))


def _within(part: Iterable[str], denied: Iterable[str]) -> bool:
    words = [any_value(word) for word in part]
    return bool(words) and all(any(covers(pattern, word) for pattern in denied) for word in words)
