"""Decides conditions as far as the graph knows the principal: a true part is dropped, a false part removes the whole
statement, and an unknown part stays.

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
from analysis.iam.policy_variables import literally, substitute
from analysis.iam.request_context import UNDECIDED, Context, depends_on_principal, depends_on_resource
from analysis.iam.three_valued import every, some

_OPERATOR: Final = re.compile(r"(?:(forallvalues|foranyvalue):)?(.+?)(ifexists)?")


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of a condition, with its operator and the values that it is compared with."""

    operator: str
    key: str
    values: tuple[str, ...]

    @property
    def parts(self) -> tuple[str, str, bool]:
        """`forallvalues`, `foranyvalue` or nothing; the operator without it; and whether the key may be absent."""
        match = _OPERATOR.fullmatch(self.operator.lower())
        return (match[1] or "", match[2], bool(match[3])) if match else ("", "", False)


@lru_cache(maxsize=20_000)
def entries(condition: str) -> tuple[Entry, ...] | None:
    """The entries of a condition, all of which must hold; None if it isn't a valid IAM condition."""
    parsed: list[Entry] = []
    for block in _blocks(condition):
        if not isinstance(block, Mapping):
            return None
        for operator, keys in block.items():
            if not isinstance(keys, Mapping):
                return None
            parsed += [Entry(operator, key, tuple(_texts(values))) for key, values in keys.items()]
    return tuple(parsed)


def _blocks(condition: str) -> list[Any]:
    value = json.loads(condition)
    return value if isinstance(value, list) else [value]


def _texts(values: object) -> Iterable[str]:
    for value in values if isinstance(values, list) else [values]:
        yield value if isinstance(value, str) else json.dumps(value)


@lru_cache(maxsize=20_000)
def depends(condition: str, *, on_resource: bool = False) -> bool:
    """Whether it may be decided by what is known of the principal; `on_resource`: of the resource."""
    on = depends_on_resource if on_resource else depends_on_principal
    return any(
        on(entry.key) or any(map(has_variable, entry.values) if not on_resource else ())
        for entry in entries(condition) or ()
    )


def decide(condition: str, context: Context) -> str | bool:
    """Whether it holds; or, if that isn't known, the part of it that decides, as JSON text of a list."""
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
    """The remaining entries, in the policy's own spelling."""
    blocks = []
    for block in _blocks(condition):
        kept = {
            operator: remaining
            for operator, keys in block.items()
            if (remaining := {k: v for k, v in keys.items() if Entry(operator, k, tuple(_texts(v))) in left})
        }
        if kept:
            blocks.append(kept)
    return json.dumps(blocks)


def _holds(entry: Entry, context: Context) -> bool | None:
    """Whether it holds; None: not known."""
    quantifier, operator, if_exists = entry.parts
    value = context.get(entry.key)
    if operator == "null":
        return None if value is UNDECIDED else any(text.lower() == str(value is None).lower() for text in entry.values)
    matching = _MATCHING.get(operator.replace("not", "", 1))
    negated = "not" in operator
    if matching is None:
        return None
    if value is UNDECIDED:
        # Whatever the key's value: these values name variables that the request can't have.
        unmatched = not negated and all(substitute(text, context) is None for text in entry.values)
        return False if unmatched and not if_exists and quantifier != "forallvalues" else None
    if value is None:
        return _holds_without_key(quantifier, negated=negated, if_exists=if_exists)
    assert isinstance(value, str)
    matched = some(_matches(text, value, matching, context) for text in entry.values)
    if negated and any(substitute(text, context) is None for text in entry.values):
        return None  # how AWS treats a variable without a value here isn't documented
    return None if matched is None else matched is not negated


def _holds_without_key(quantifier: str, *, negated: bool, if_exists: bool) -> bool:
    if quantifier == "forallvalues":
        return True
    return if_exists or (negated and not quantifier)


def _matches(text: str, value: str, matching: Matching, context: Context) -> bool | None:
    word = substitute(literally(text) if matching.literal else text, context)
    if word is None:
        return False
    if not has_variable(word):
        return matching.of(word, value)
    possible = _same(any_value(word), value)
    return None if possible else possible


def _same(word: str, value: str) -> bool | None:
    """Whether a pattern matches everything that another does; None: only some of it."""
    if covers(word, value):
        return True
    return None if overlaps(word, value) else False


def _same_in_any_case(word: str, value: str) -> bool | None:
    return _same(word.lower(), value.lower())


def _same_arn(word: str, value: str) -> bool | None:
    """Part by part: in an ARN `*` matches no colon, except in the last part."""
    words, values = word.split(":", 5), value.split(":", 5)
    if len(words) < 6 or len(values) < 6:
        return None
    return every(_same(part, other) for part, other in zip(words, values, strict=True))


@dataclass(frozen=True, slots=True)
class Matching:
    """How a value is compared. `literal`: wildcards are plain characters."""

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
