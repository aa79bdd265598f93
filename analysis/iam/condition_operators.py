"""Whether a condition's operators match the value of a request, or its absence. Pure functions; None: not known.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

import ipaddress
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from analysis.iam.patterns import expression
from analysis.iam.three_valued import every, some

# A request's value of a key: one text, several for a key with many values, or None if the request lacks the key.
RequestValue = tuple[str, ...] | None
Test = Callable[[str, str], bool | None]

ALL, ANY = "forallvalues:", "foranyvalue:"
_PARTS_OF_AN_ARN: Final = 6


def like(text: str, pattern: str) -> bool:
    return expression(pattern).fullmatch(text) is not None


def arn_like(arn: str, pattern: str) -> bool | None:
    """Compares part by part: `*` matches a colon only in the last. Undocumented for patterns with fewer parts."""
    parts, wanted = arn.split(":", _PARTS_OF_AN_ARN - 1), pattern.split(":", _PARTS_OF_AN_ARN - 1)
    if pattern == "*":
        return True
    if len(wanted) < _PARTS_OF_AN_ARN:
        return None if like(arn, pattern) else False
    return len(parts) == len(wanted) and all(map(like, parts, wanted))


# The policy's value must be of the operator's type, or the result is not known. The request's value needn't be.


def _within(address: str, network: str) -> bool | None:
    try:
        wanted = ipaddress.ip_network(network, strict=False)
    except ValueError:
        return None
    try:
        return ipaddress.ip_address(address) in wanted
    except ValueError:
        return False


def _compared(read: Callable[[str], float | None], compare: Callable[[float, float], bool]) -> Test:
    def test(text: str, wanted: str) -> bool | None:
        first, second = read(text), read(wanted)
        return None if second is None else first is not None and compare(first, second)

    return test


def number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


@lru_cache(maxsize=10_000)
def seconds(time: str) -> float | None:
    """A policy's time, in ISO 8601 or as seconds since 1970, as seconds since 1970."""
    if (epoch := number(time)) is not None:
        return epoch
    try:
        parsed = datetime.fromisoformat(time)
    except ValueError:
        return None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()


def _equal(text: str, wanted: str) -> bool:
    return text == wanted


def _equal_ignoring_case(text: str, wanted: str) -> bool:
    return text.lower() == wanted.lower()


_ORDER: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "equals": operator.eq,
    "lessthan": operator.lt,
    "lessthanequals": operator.le,
    "greaterthan": operator.gt,
    "greaterthanequals": operator.ge,
}

_TESTS: Final[Mapping[str, Test]] = {
    "stringequals": _equal,
    "stringequalsignorecase": _equal_ignoring_case,
    "stringlike": like,
    "binaryequals": _equal,
    "bool": _equal_ignoring_case,
    "ipaddress": _within,
    "arnequals": arn_like,  # AWS documents it as the same as ArnLike
    "arnlike": arn_like,
    **{f"numeric{name}": _compared(number, compare) for name, compare in _ORDER.items()},
    **{f"date{name}": _compared(seconds, compare) for name, compare in _ORDER.items()},
}

_NEGATED: Final = {
    "stringnotequals": "stringequals",
    "stringnotequalsignorecase": "stringequalsignorecase",
    "stringnotlike": "stringlike",
    "notipaddress": "ipaddress",
    "arnnotequals": "arnequals",
    "arnnotlike": "arnlike",
    "numericnotequals": "numericequals",
    "datenotequals": "dateequals",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One key under one operator of a condition.

    test         the operator without its prefix, its suffix and its negation
    unresolved   some value names a policy variable that the request has no value for, so nothing equals it
    """

    operator: str
    key: str
    values: tuple[str, ...]
    test: str
    negated: bool = False
    if_exists: bool = False
    quantifier: str = ""
    unresolved: bool = False

    @property
    def known(self) -> bool:
        return self.test == "null" or self.test in _TESTS

    @property
    def patterns(self) -> bool:
        """Whether its values may contain wildcards."""
        return self.test == "stringlike" or self.of_arns

    @property
    def of_arns(self) -> bool:
        return self.test in ("arnlike", "arnequals")

    def holds(self, value: RequestValue) -> bool | None:
        """Whether a request with this value satisfies it. None: not known."""
        if not self.known:
            return None
        if self.test == "null":
            return any((wanted.lower() == "true") is (not value) for wanted in self.values)
        if not value:
            return self._without()
        results = [some(_TESTS[self.test](text, wanted) for wanted in self.values) for text in value]
        if self.unresolved:
            results = [result or None for result in results]
        if self.negated:
            results = [None if result is None else not result for result in results]
        for_all = self.quantifier == ALL or (self.negated and self.quantifier != ANY)
        return every(results) if for_all else some(results)

    def _without(self) -> bool:
        """For a request that lacks the key."""
        if self.if_exists or self.quantifier == ALL:
            return True
        return self.negated and self.quantifier != ANY


def entries(condition: Any) -> tuple[Entry, ...]:
    """Everything that must hold. Raises ValueError if it isn't a condition."""
    if condition is None:
        return ()
    if not isinstance(condition, Mapping) or not all(isinstance(keys, Mapping) for keys in condition.values()):
        raise ValueError("a Condition is not a JSON object of objects")
    return tuple(entry(name, key, values) for name, keys in condition.items() for key, values in keys.items())


def entry(operator_name: str, key: str, values: Any) -> Entry:
    word = operator_name.lower()
    quantifier = next((start for start in (ALL, ANY) if word.startswith(start)), "")
    word = word.removeprefix(quantifier)
    if_exists = word.endswith("ifexists")
    word = word.removesuffix("ifexists")
    listed: Sequence[Any] = values if isinstance(values, list) else [values]
    texts = tuple(str(value).lower() if isinstance(value, bool) else str(value) for value in listed)
    test = _NEGATED.get(word, word)
    return Entry(operator_name, key.lower(), texts, test, word in _NEGATED, if_exists, quantifier)
