"""Conditions that the graph can decide, as who asks is known: what is true vanishes, what is false takes its
statement away, and what isn't known stays.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from analysis.iam.patterns import any_value, covers, has_variable, overlaps
from analysis.iam.request_context import UNDECIDED, Context, depends_on_principal, depends_on_resource
from analysis.iam.variables import literally, put_in

_OPERATOR: Final = re.compile(r"(?:(forallvalues|foranyvalue):)?(.+?)(ifexists)?")


@dataclass(frozen=True, slots=True)
class Entry:
    """A key of a condition, with the operator and the values that it is compared with."""

    operator: str
    key: str
    values: tuple[str, ...]

    @property
    def parts(self) -> tuple[str, str, bool]:
        """`forallvalues`, `foranyvalue` or nothing, the operator without it, and whether the key may be absent."""
        found = _OPERATOR.fullmatch(self.operator.lower())
        return (found[1] or "", found[2], bool(found[3])) if found else ("", "", False)


@lru_cache(maxsize=20_000)
def entries(condition: str) -> tuple[Entry, ...] | None:
    """All of a condition, each of which must hold; None where it isn't a condition as IAM has them."""
    said = json.loads(condition)
    found = []
    for block in said if isinstance(said, list) else [said]:
        if not isinstance(block, Mapping):
            return None
        for operator, keys in block.items():
            if not isinstance(keys, Mapping):
                return None
            found += [Entry(operator, key, tuple(_texts(values))) for key, values in keys.items()]
    return tuple(found)


def _texts(values: Any) -> Iterable[str]:
    for value in values if isinstance(values, list) else [values]:
        yield value if isinstance(value, str) else json.dumps(value)


@lru_cache(maxsize=20_000)
def depends(condition: str, *, on_resource: bool = False) -> bool:
    """Whether it may be decided by who asks; `on_resource`: by what is asked for."""
    on = depends_on_resource if on_resource else depends_on_principal
    return any(
        on(entry.key) or any(map(has_variable, entry.values) if not on_resource else ())
        for entry in entries(condition) or ()
    )


def decide(condition: str, context: Context) -> str | bool:
    """Whether it holds; or, where that isn't known, what of it has to. As JSON text of a list."""
    known = entries(condition)
    if known is None:
        return condition
    left: list[Entry] = []
    for entry in known:
        holds = _holds(entry, context)
        if holds is False:
            return False
        if holds is None:
            left.append(entry)
    return condition if len(left) == len(known) else _without(condition, frozenset(left)) if left else True


def _without(condition: str, left: frozenset[Entry]) -> str:
    """What is left, as the policy spells it."""
    said = json.loads(condition)
    blocks = []
    for block in said if isinstance(said, list) else [said]:
        kept = {
            operator: some
            for operator, keys in block.items()
            if (some := {k: v for k, v in keys.items() if Entry(operator, k, tuple(_texts(v))) in left})
        }
        if kept:
            blocks.append(kept)
    return json.dumps(blocks)


def _holds(entry: Entry, context: Context) -> bool | None:
    """None: that isn't known."""
    quantifier, operator, if_exists = entry.parts
    value = context.get(entry.key)
    if operator == "null":
        return None if value is UNDECIDED else any(text.lower() == str(value is None).lower() for text in entry.values)
    matching = _MATCHING.get(operator.replace("not", "", 1))
    negated = "not" in operator
    if matching is None:
        return None
    if value is UNDECIDED:
        # Whatever the key has: the values hold variables that the request can't have.
        nothing = not negated and all(put_in(text, context) is None for text in entry.values)
        return False if nothing and not if_exists and quantifier != "forallvalues" else None
    if value is None:
        return _holds_without_key(quantifier, negated=negated, if_exists=if_exists)
    assert isinstance(value, str)
    found = {_matches(text, value, matching, context) for text in entry.values}
    if negated and any(put_in(text, context) is None for text in entry.values):
        return None  # what AWS makes of a variable without a value here isn't documented
    return not negated if True in found else None if None in found else negated


def _holds_without_key(quantifier: str, *, negated: bool, if_exists: bool) -> bool:
    if quantifier == "forallvalues":
        return True
    return if_exists or (negated and not quantifier)


def _matches(text: str, value: str, matching: Matching, context: Context) -> bool | None:
    word = put_in(literally(text) if matching.literal else text, context)
    if word is None:
        return False
    if not has_variable(word):
        return matching.of(word, value)
    found = _same(any_value(word), value)
    return None if found else found


def _same(word: str, value: str) -> bool | None:
    """Whether a pattern matches what another one does; None: some of it."""
    if covers(word, value):
        return True
    return None if overlaps(word, value) else False


def _same_in_any_case(word: str, value: str) -> bool | None:
    return _same(word.lower(), value.lower())


def _same_arn(word: str, value: str) -> bool | None:
    """Each of the six parts by itself: in an ARN a star doesn't reach beyond a colon, but in the last."""
    words, values = word.split(":", 5), value.split(":", 5)
    if len(words) < 6 or len(values) < 6:
        return None
    found = [_same(one, other) for one, other in zip(words, values, strict=True)]
    return False if False in found else None if None in found else True


@dataclass(frozen=True, slots=True)
class Matching:
    """How a value is compared. `literal`: wildcards mean nothing."""

    of: Callable[[str, str], bool | None]
    literal: bool = False


_MATCHING: Final[Mapping[str, Matching]] = {
    "stringequals": Matching(_same, literal=True),
    "stringequalsignorecase": Matching(_same_in_any_case, literal=True),
    "stringlike": Matching(_same),
    "arnequals": Matching(_same_arn),
    "arnlike": Matching(_same_arn),
    "bool": Matching(_same_in_any_case, literal=True),
}
