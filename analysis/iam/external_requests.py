"""Whether an external principal can make a request that an Allow allows and no Deny denies, by choosing well."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from analysis.iam import external_principals, request_variables
from analysis.iam.condition_operators import Entry, RequestValue, like
from analysis.iam.example_texts import common, examples
from analysis.iam.external_principals import ExternalPrincipal
from analysis.iam.patterns import any_value, has_variable
from analysis.iam.resource_statements import Statement
from analysis.iam.resources import Patterns

MAX_STEPS = 20_000


class TooMany(Exception):
    """There are too many combinations to try: the verdict is not known."""


@dataclass
class Request:
    """A request that a principal may make, as far as its values are chosen.

    denies    the denials that name the principal, by number
    forms     the ARNs of the resource and of its contents, as patterns
    context   the values of policy variables
    """

    principal: ExternalPrincipal
    allow: Statement
    denies: Mapping[int, Statement]
    forms: Sequence[str]
    context: Mapping[str, RequestValue]
    values: dict[str, list[RequestValue]] = field(default_factory=dict)
    tried: dict[tuple[frozenset[int], bool], bool] = field(default_factory=dict)
    texts: list[str] | None = None
    steps: int = 0

    def choices(self, key: str) -> list[RequestValue]:
        """The values that it may have under a key."""
        if key in self.context:
            return [self.context[key]]
        if key not in self.values:
            asked = [
                entry
                for statement in (self.allow, *self.denies.values())
                for entry in statement.condition
                if entry.key == key
            ]
            self.values[key] = external_principals.values(self.principal, key, asked)
        return self.values[key]


def is_allowed(request: Request, *, certain: bool) -> bool:
    """Whether the Allow applies to it, ignoring denials."""
    return _can_be(request, frozenset(), certain=certain)


def is_permitted(request: Request, about: frozenset[int], of_objects: bool | None, *, certain: bool) -> bool:
    """Whether it can be made for an action.

    about        the denials that name the action, by number
    of_objects   whether the action is on the resource's contents; None if that makes no difference
    """
    if request.texts is None:
        request.texts = list(_resources(request))
    texts = request.texts
    if of_objects is not None and len(request.forms) > 1:
        texts = [text for text in texts if like(text, request.forms[0]) is not of_objects] or texts
    for text in texts:
        denied = frozenset(
            number
            for number, deny in request.denies.items()
            if number in about and _is_about(deny.resources, text, request.context, if_unknown=certain)
        )
        if _can_be(request, denied, certain=certain):
            return True
    return False


def _can_be(request: Request, denied: frozenset[int], *, certain: bool) -> bool:
    """Whether it can satisfy the Allow and avoid all of these denials."""
    if (denied, certain) not in request.tried:
        request.tried[denied, certain] = _is_possible(
            request, [request.denies[number] for number in denied], certain=certain
        )
    return request.tried[denied, certain]


def _is_possible(request: Request, denies: Sequence[Statement], *, certain: bool) -> bool:
    chosen: dict[str, list[RequestValue]] = {}
    for entry in request.allow.condition:
        if not external_principals.is_judged(entry.key):
            if certain:
                return False
            continue
        left = _left(entry, chosen, request, (True,) if certain else (True, None))
        if not left:
            return False
        chosen[entry.key] = left
    # The shortest first: a single condition leaves no choice.
    return _avoids(request, sorted(denies, key=lambda deny: len(deny.condition)), chosen, certain=certain)


def _avoids(
    request: Request, denies: Sequence[Statement], chosen: dict[str, list[RequestValue]], *, certain: bool
) -> bool:
    """Whether one condition of each Deny can be made false, given the values chosen so far."""
    if not denies:
        return True
    request.steps += 1
    if request.steps > MAX_STEPS:
        raise TooMany("more conditions than can be tried")
    wanted = (False,) if certain else (False, None)
    for entry in denies[0].condition:
        if not external_principals.is_judged(entry.key):
            if not certain:
                return _avoids(request, denies[1:], chosen, certain=certain)
            continue
        left = _left(entry, chosen, request, wanted)
        if left and _avoids(request, denies[1:], chosen | {entry.key: left}, certain=certain):
            return True
    return False


def _left(
    entry: Entry, chosen: Mapping[str, list[RequestValue]], request: Request, wanted: Sequence[bool | None]
) -> list[RequestValue]:
    """The values, of those still possible under the key, for which the condition has a wanted result."""
    choices = chosen[entry.key] if entry.key in chosen else request.choices(entry.key)
    return [value for value in choices if _result(entry, value, request) in wanted]


def _result(entry: Entry, value: RequestValue, request: Request) -> bool | None:
    """Addresses and times are only compared as such. As text they are not judged, except with a plain `*`."""
    rule = external_principals.of(request.principal, entry.key)
    kinds = {"address": ("ipaddress",), "any_address": ("ipaddress",), "now": ("date", "numeric")}
    fitting = kinds.get(rule, ("",)) if isinstance(rule, str) else ("",)
    if entry.test == "null" or entry.test.startswith(fitting) or (entry.patterns and "*" in entry.values):
        return entry.holds(value)
    return None


def _resources(request: Request) -> Iterator[str]:
    """ARNs of the resource or its contents that the Allow names: one of each kind that the policy distinguishes."""
    allow, forms = request.allow.resources, request.forms
    words = forms if allow is None or allow.negated else tuple(_resolved(allow, request.context))
    spared = [deny.resources for deny in request.denies.values() if deny.resources and deny.resources.negated]
    only = [word for resources in spared for word in _resolved(resources, request.context)]
    texts = [text for word in words for text in examples(word)]
    texts += [text for word in (*words, *only) for form in forms if (text := common(word, form)) is not None]
    texts += [text for word in words for other in only if (text := common(word, other)) is not None]
    for text in dict.fromkeys(texts):
        if any(like(text, form) for form in forms) and _is_about(allow, text, request.context, if_unknown=False):
            yield text


def _is_about(patterns: Patterns | None, text: str, context: Mapping[str, RequestValue], *, if_unknown: bool) -> bool:
    """`if_unknown`: the result where a variable has no value."""
    if patterns is None:
        return True
    if if_unknown and any(has_variable(word) and like(text, any_value(word)) for word in patterns.words):
        return True
    return any(like(text, word) for word in _resolved(patterns, context)) is not patterns.negated


def _resolved(patterns: Patterns, context: Mapping[str, RequestValue]) -> Iterator[str]:
    for word in patterns.words:
        if (text := request_variables.substitute(word, context, pattern=True)) is not None:
            yield text
