"""Whether a stranger can make a request that an Allow allows and no Deny forbids. What it may choose, it chooses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from analysis.iam import policy_variables, strangers
from analysis.iam.condition_operators import Entry, Found, like
from analysis.iam.example_texts import common, examples
from analysis.iam.patterns import any_value, has_variable
from analysis.iam.resource_statements import Statement
from analysis.iam.resources import Patterns
from analysis.iam.strangers import Stranger

MAX_STEPS = 20_000


class TooMany(Exception):
    """There is more to try than is worth it: the verdict is not known."""


@dataclass
class Request:
    """What a stranger may ask for, as far as it is chosen.

    denies    those that mean the stranger, by number
    forms     the ARNs of the resource, and of what is in it, as patterns
    context   what variables stand for
    """

    stranger: Stranger
    allow: Statement
    denies: Mapping[int, Statement]
    forms: Sequence[str]
    context: Mapping[str, Found]
    values: dict[str, list[Found]] = field(default_factory=dict)
    tried: dict[tuple[frozenset[int], bool], bool] = field(default_factory=dict)
    texts: list[str] | None = None
    steps: int = 0

    def choices(self, key: str) -> list[Found]:
        """What it may have under a key."""
        if key in self.context:
            return [self.context[key]]
        if key not in self.values:
            asked = [
                entry for one in (self.allow, *self.denies.values()) for entry in one.condition if entry.key == key
            ]
            self.values[key] = strangers.values(self.stranger, key, asked)
        return self.values[key]


def may_be_fulfilled(request: Request, *, sure: bool) -> bool:
    """Whether the Allow gives it anything, denials apart."""
    return _can_be(request, frozenset(), sure=sure)


def may_be_made(request: Request, about: frozenset[int], of_objects: bool | None, *, sure: bool) -> bool:
    """Whether it can be made for an action. `about`: the denials that mean the action, by number.

    of_objects   whether the action is on what is in the resource; None where that makes no difference
    """
    if request.texts is None:
        request.texts = list(_resources(request))
    texts = request.texts
    if of_objects is not None and len(request.forms) > 1:
        texts = [text for text in texts if like(text, request.forms[0]) is not of_objects] or texts
    for text in texts:
        denied = frozenset(
            number
            for number, one in request.denies.items()
            if number in about and _is_about(one.resources, text, request.context, symptom=sure)
        )
        if _can_be(request, denied, sure=sure):
            return True
    return False


def _can_be(request: Request, denied: frozenset[int], *, sure: bool) -> bool:
    """Whether it can fulfil the Allow, and none of these denials."""
    if (denied, sure) not in request.tried:
        request.tried[denied, sure] = _is_possible(request, [request.denies[number] for number in denied], sure=sure)
    return request.tried[denied, sure]


def _is_possible(request: Request, denies: Sequence[Statement], *, sure: bool) -> bool:
    chosen: dict[str, list[Found]] = {}
    for entry in request.allow.condition:
        if not strangers.is_judged(entry.key):
            if sure:
                return False
            continue
        left = _left(entry, chosen, request, (True,) if sure else (True, None))
        if not left:
            return False
        chosen[entry.key] = left
    # The shortest first: of a single condition there is nothing to choose.
    return _avoids(request, sorted(denies, key=lambda one: len(one.condition)), chosen, sure=sure)


def _avoids(request: Request, denies: Sequence[Statement], chosen: dict[str, list[Found]], *, sure: bool) -> bool:
    """Whether one condition of each Deny can be made false, with what is chosen so far."""
    if not denies:
        return True
    request.steps += 1
    if request.steps > MAX_STEPS:
        raise TooMany("more conditions than can be tried")
    wanted = (False,) if sure else (False, None)
    for entry in denies[0].condition:
        if not strangers.is_judged(entry.key):
            if not sure:
                return _avoids(request, denies[1:], chosen, sure=sure)
            continue
        left = _left(entry, chosen, request, wanted)
        if left and _avoids(request, denies[1:], chosen | {entry.key: left}, sure=sure):
            return True
    return False


def _left(
    entry: Entry, chosen: Mapping[str, list[Found]], request: Request, wanted: Sequence[bool | None]
) -> list[Found]:
    """Of what the stranger may still have under the key, that of which the condition says what is wanted."""
    choices = chosen[entry.key] if entry.key in chosen else request.choices(entry.key)
    return [found for found in choices if _says(entry, found, request) in wanted]


def _says(entry: Entry, found: Found, request: Request) -> bool | None:
    """Addresses and times are tried as such: a text that is compared with them is not judged, but for a star."""
    rule = strangers.of(request.stranger, entry.key)
    kinds = {"address": ("ipaddress",), "any_address": ("ipaddress",), "now": ("date", "numeric")}
    fitting = kinds.get(rule, ("",)) if isinstance(rule, str) else ("",)
    if entry.test == "null" or entry.test.startswith(fitting) or (entry.patterns and "*" in entry.values):
        return entry.holds(found)
    return None


def _resources(request: Request) -> Iterator[str]:
    """ARNs of the resource, or in it, that the Allow is about: one of each kind that the policy tells apart."""
    allow, forms = request.allow.resources, request.forms
    words = forms if allow is None or allow.but else tuple(_resolved(allow, request.context))
    others = [one.resources for one in request.denies.values() if one.resources and one.resources.but]
    only = [word for other in others for word in _resolved(other, request.context)]
    texts = [text for word in words for text in examples(word)]
    texts += [text for word in (*words, *only) for form in forms if (text := common(word, form)) is not None]
    texts += [text for word in words for other in only if (text := common(word, other)) is not None]
    for text in dict.fromkeys(texts):
        if any(like(text, form) for form in forms) and _is_about(allow, text, request.context, symptom=False):
            yield text


def _is_about(patterns: Patterns | None, text: str, context: Mapping[str, Found], *, symptom: bool) -> bool:
    """`doubt`: what is said where a variable has no value."""
    if patterns is None:
        return True
    if symptom and any(has_variable(word) and like(text, any_value(word)) for word in patterns.words):
        return True
    return any(like(text, word) for word in _resolved(patterns, context)) is not patterns.but


def _resolved(patterns: Patterns, context: Mapping[str, Found]) -> Iterator[str]:
    for word in patterns.words:
        if (text := policy_variables.resolved(word, context, pattern=True)) is not None:
            yield text
