"""Strangers: whom a resource policy lets in if it lets in anybody. What their requests have under a condition key.

The table of keys is data: stranger_keys.yaml.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import combinations
from pathlib import Path
from typing import Any, Final

import yaml

from analysis.iam.address_space import anywhere, networks, on_the_internet
from analysis.iam.condition_operators import Entry, Found, arn_like, like, seconds
from analysis.iam.example_texts import FRESH, common, examples
from analysis.iam.patterns import literal_start

KINDS: Final = ("user", "role", "root", "federated", "anonymous")
PLACES: Final = ("internet", "endpoint")
_TABLE: Final = Path(__file__).with_name("stranger_keys.yaml")
_WILD: Final = re.compile(r"[*?]")
_MAX_PAIRS: Final = 300  # of values that a key with many values is tried with
_MAX_COMPARED: Final = 300_000  # characters of one pattern times those of another: some seconds


@dataclass(frozen=True, slots=True)
class Stranger:
    """`account`: its own; `ours`: the resource's, or None where that isn't known. `now`: seconds since 1970."""

    kind: str
    place: str
    account: str
    ours: str | None = None
    now: float = 0.0

    @property
    def anonymous(self) -> bool:
        return self.kind == "anonymous"


@cache
def table() -> Mapping[str, Mapping[str, Any]]:
    found: Mapping[str, Mapping[str, Any]] = yaml.safe_load(_TABLE.read_text())
    return found


@cache
def _row(key: str) -> Mapping[str, Any] | None:
    """What the table says of a key, by itself or by the longest pattern that it matches."""
    fitting = [word for word in table() if word == key or like(key, word)]
    return table()[max(fitting, key=lambda word: (word == key, len(word)))] if fitting else None


def is_judged(key: str) -> bool:
    return _row(key) is not None


def of(stranger: Stranger, key: str) -> Any:
    """The rule of the table for a stranger; `never` where it names others only."""
    row = _row(key) or {}
    names = (stranger.kind, stranger.place, "anonymous" if stranger.anonymous else "signed", "any")
    return next((row[name] for name in names if name in row), "never")


def values(stranger: Stranger, key: str, asked: Sequence[Entry]) -> list[Found]:
    """What the stranger may have under a key: one of each kind that these conditions on it tell apart.

    Raises ValueError where there are too many.
    """
    rule = of(stranger, key)
    if rule == "never":
        return [None]
    if rule == "chosen":
        texts = [*dict.fromkeys([FRESH, *_texts(asked)])]
        return [None, *_sets(texts, asked)]
    if rule == "address":
        return [(text,) for text in on_the_internet(_ranges(asked))]
    if rule == "any_address":
        return [(text,) for text in anywhere(_ranges(asked))]
    if rule == "now":
        return [(str(stranger.now),)]
    if rule == "ours":
        return [(stranger.ours,)] if stranger.ours else [(text,) for text in dict.fromkeys([FRESH, *_texts(asked)])]
    found: list[Found] = [None] if rule.get("optional") or "perhaps" in rule else []
    if "own" in rule:
        return found + _sets([*dict.fromkeys(_own(stranger, rule, asked))], asked)
    return found + [(text,) for text in rule.get("given", rule.get("perhaps", ()))]


def _sets(texts: Sequence[str], asked: Sequence[Entry]) -> list[Found]:
    """One value each; of a key that may have several, two as well."""
    found: list[Found] = [(text,) for text in texts]
    if any(entry.quantifier for entry in asked):
        pairs = list(combinations(texts, 2))
        if len(pairs) > _MAX_PAIRS:
            raise ValueError("more values than can be tried in pairs")
        found += pairs
    return found


def _ranges(asked: Sequence[Entry]) -> list[Any]:
    return [networks(entry.values) for entry in asked if entry.test == "ipaddress"]


def _texts(asked: Sequence[Entry]) -> Iterator[str]:
    """Values that some condition tells from others."""
    folded = any(entry.test == "stringequalsignorecase" for entry in asked)
    for entry in asked:
        for value in entry.values:
            if entry.patterns:
                yield from examples(value)
            elif entry.test.startswith(("numeric", "date")):
                yield from _around(value)
            elif entry.test == "ipaddress":
                yield from anywhere(_ranges(asked))
            elif entry.test != "null":
                yield value
            if folded:
                yield from (value.lower(), value.upper(), value.swapcase())
    if any(entry.test == "bool" for entry in asked):
        yield from ("true", "false")
    yield from _in_common(asked)


def _around(value: str) -> Iterator[str]:
    yield value
    if (time := seconds(value)) is not None:
        yield from (str(time - 1), str(time + 1))


def _in_common(asked: Sequence[Entry]) -> Iterator[str]:
    """What patterns of two conditions on the same key both match."""
    pairs = [
        (one, other, (first.of_arns, second.of_arns))
        for first, second in combinations([entry for entry in asked if entry.patterns], 2)
        for one in first.values
        for other in second.values
        if one != other
    ]
    if sum(len(one) * len(other) for one, other, _ in pairs) > _MAX_COMPARED:
        raise ValueError("more patterns than can be compared")
    for one, other, arns in pairs:
        if (text := common(one, other, arns=arns)) is not None:
            yield text


def _own(stranger: Stranger, rule: Mapping[str, Any], asked: Sequence[Entry]) -> Iterator[str]:
    """Names that the stranger may have, or get: of the rule's forms, and of the patterns that leave it open."""
    forms = [form.replace("ACCOUNT", stranger.account) for form in rule["own"]]
    for form in forms:
        yield form.replace("*", FRESH).replace("?", FRESH)
    words = [(word, entry.of_arns) for entry in asked if entry.patterns for word in entry.values]
    words = [(word, arn) for word, arn in words if not _somebodys(word, rule)]
    for word, arn in words:
        for form in forms:
            if (text := common(word, form, arns=(arn, form.startswith("arn:")))) is not None:
                yield text
    for text in map(partial(_of_account, stranger.account), _in_common(asked)):
        if any(_is_own(text, form, rule) for form in forms):
            yield text
    for entry in asked:  # the same in other letters
        if entry.test == "stringequalsignorecase":
            yield from (value for value in entry.values if value.lower() == stranger.account)


def _of_account(account: str, text: str) -> str:
    """An ARN, where its account is open, as one of the stranger's."""
    parts = text.split(":", 5)
    if len(parts) == 6 and FRESH in parts[4]:
        parts[4] = account
    return ":".join(parts)


def _is_own(text: str, form: str, rule: Mapping[str, Any]) -> bool:
    """Whether a text that patterns have in common is of the form: of the stranger's account, or else nobody's yet."""
    if not (arn_like(text, form) if form.startswith("arn:") else like(text, form)):
        return False
    of_account = form not in rule["own"]
    return of_account or FRESH in (text.partition(rule["until"])[0] if "until" in rule else text)


def _somebodys(word: str, rule: Mapping[str, Any]) -> bool:
    """Whether all that it matches belongs to somebody."""
    owner = word.partition(rule["until"])[0] if "until" in rule else word
    return not _WILD.search(owner) or len(literal_start(word)) >= rule.get("least", len(word) + 1)


def accounts(asked: Sequence[Entry], ours: str | None) -> list[str]:
    """Numbers of accounts that a stranger may have: any that the policy doesn't name, and those of its patterns."""
    words = {word for entry in asked if "ACCOUNT" in str(_row(entry.key)) for word in entry.values}
    parts = {part for word in words for part in (word, *word.split(":")[4:5])}
    named = {part for part in parts if not _WILD.search(part)} | {ours}
    numbers = [str(900_000_000_001 + n) for n in range(len(named) + 1)]
    found = [next(number for number in numbers if number not in named)]
    for part in sorted(parts):
        if _WILD.search(part) and re.fullmatch(r"[\d*?]+", part) and part.strip("*"):
            found += [text for filling in "07" if (text := _filled(part, filling)) and text not in named]
    return list(dict.fromkeys(found))


def _filled(pattern: str, filling: str) -> str | None:
    """A number of twelve digits that a pattern of digits matches."""
    text = pattern.replace("?", filling)
    missing = 12 - len(text.replace("*", ""))
    text = text.replace("*", filling * missing, 1).replace("*", "")
    return text if missing >= 0 and len(text) == 12 else None
