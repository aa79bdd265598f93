"""What the operators of a condition say of a value that a request has, or hasn't. Pure; None: it isn't known.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from analysis.iam.patterns import expression

# What a request has under a key: one value, several (of a key that may have many), or None where it hasn't the key.
Found = tuple[str, ...] | None
Test = Callable[[str, str], bool | None]

ALL, ANY = "forallvalues:", "foranyvalue:"
_PARTS_OF_AN_ARN: Final = 6


def like(text: str, pattern: str) -> bool:
    return expression(pattern).fullmatch(text) is not None


def arn_like(arn: str, pattern: str) -> bool | None:
    """Part by part: a star reaches over a colon in the last only. Of a pattern with fewer parts AWS doesn't say."""
    parts, wanted = arn.split(":", _PARTS_OF_AN_ARN - 1), pattern.split(":", _PARTS_OF_AN_ARN - 1)
    if pattern == "*":
        return True
    if len(wanted) < _PARTS_OF_AN_ARN:
        return None if like(arn, pattern) else False
    return len(parts) == len(wanted) and all(map(like, parts, wanted))


# What the policy compares with must be of the operator's kind, or nothing is known; what a request has needn't be.


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
    def test(one: str, other: str) -> bool | None:
        first, second = read(one), read(other)
        return None if second is None else first is not None and compare(first, second)

    return test


def number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


@lru_cache(maxsize=10_000)
def seconds(time: str) -> float | None:
    """A time of a policy, ISO 8601 or seconds since 1970."""
    if (found_number := number(time)) is not None:
        return found_number
    try:
        found = datetime.fromisoformat(time)
    except ValueError:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


_ORDER: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "equals": lambda one, other: one == other,
    "lessthan": lambda one, other: one < other,
    "lessthanequals": lambda one, other: one <= other,
    "greaterthan": lambda one, other: one > other,
    "greaterthanequals": lambda one, other: one >= other,
}

_TESTS: Final[Mapping[str, Test]] = {
    "stringequals": lambda one, other: one == other,
    "stringequalsignorecase": lambda one, other: one.lower() == other.lower(),
    "stringlike": like,
    "binaryequals": lambda one, other: one == other,
    "bool": lambda one, other: one.lower() == other.lower(),
    "ipaddress": _within,
    "arnequals": arn_like,  # the same as ArnLike, says AWS
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
    """One key under one operator of a condition. `test`: the operator without what stands around it.

    unresolved   some value names a policy variable that the request has no value for, so nothing is equal to it
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
        """Whether its values may hold wildcards."""
        return self.test == "stringlike" or self.of_arns

    @property
    def of_arns(self) -> bool:
        return self.test in ("arnlike", "arnequals")

    def holds(self, found: Found) -> bool | None:
        """Whether a request with this value fulfils it. None: that isn't known."""
        if not self.known:
            return None
        if self.test == "null":
            return any((value.lower() == "true") is (not found) for value in self.values)
        if not found:
            return self._without()
        each = [_either(_TESTS[self.test](one, value) for value in self.values) for one in found]
        if self.unresolved:
            each = [one or None for one in each]
        if self.negated:
            each = [None if one is None else not one for one in each]
        every = self.quantifier == ALL or (self.negated and self.quantifier != ANY)
        return _every(each) if every else _either(each)

    def _without(self) -> bool:
        """Of a request that hasn't the key."""
        if self.if_exists or self.quantifier == ALL:
            return True
        return self.negated and self.quantifier != ANY


def entries(condition: Any) -> tuple[Entry, ...]:
    """All that has to hold. Raises ValueError where it isn't a condition."""
    if condition is None:
        return ()
    if not isinstance(condition, Mapping) or not all(isinstance(keys, Mapping) for keys in condition.values()):
        raise ValueError("a Condition is no JSON object of objects")
    return tuple(entry(operator, key, values) for operator, keys in condition.items() for key, values in keys.items())


def entry(operator: str, key: str, values: Any) -> Entry:
    word = operator.lower()
    quantifier = next((start for start in (ALL, ANY) if word.startswith(start)), "")
    word = word.removeprefix(quantifier)
    if_exists = word.endswith("ifexists")
    word = word.removesuffix("ifexists")
    listed: Sequence[Any] = values if isinstance(values, list) else [values]
    texts = tuple(str(value).lower() if isinstance(value, bool) else str(value) for value in listed)
    test = _NEGATED.get(word, word)
    return Entry(operator, key.lower(), texts, test, word in _NEGATED, if_exists, quantifier)


def _either(responses: Iterable[bool | None]) -> bool | None:
    said = list(responses)
    return True if True in said else None if None in said else False


def _every(responses: Iterable[bool | None]) -> bool | None:
    said = list(responses)
    return False if False in said else None if None in said else True
