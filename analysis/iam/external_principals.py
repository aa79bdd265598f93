"""External principals: arbitrary callers, anonymous or of an unrelated account, that a public resource policy lets in.

Which values their requests may have under each condition key is data: external_principal_keys.yaml.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import combinations
from pathlib import Path
from typing import Final, TypedDict

import yaml

from analysis.iam.address_blocks import Network
from analysis.iam.address_space import anywhere, networks, on_the_internet
from analysis.iam.condition_operators import Entry, RequestValue, arn_like, like, seconds
from analysis.iam.example_texts import FRESH, common, examples
from analysis.iam.patterns import literal_start

KINDS: Final = ("user", "role", "root", "federated", "anonymous")
PLACES: Final = ("internet", "endpoint")
_TABLE: Final = Path(__file__).with_name("external_principal_keys.yaml")
_WILD: Final = re.compile(r"[*?]")
_MAX_PAIRS: Final = 300  # of values that are tried for a key with many values
_MAX_COMPARED: Final = 300_000  # length of one pattern times that of another: takes some seconds


class Values(TypedDict, total=False):
    """A rule of the table that lists values; the file explains each field."""

    given: list[str]
    own: list[str]
    until: str
    least: int
    optional: bool


Rule = Values | str  # or one of the words `never`, `chosen`, `address`, ...; of `count`, the word `many`


@dataclass(frozen=True, slots=True)
class ExternalPrincipal:
    """`account`: its own; `ours`: the resource's, None if it isn't known. `now`: seconds since 1970."""

    kind: str
    place: str
    account: str
    ours: str | None = None
    now: float = 0.0

    @property
    def anonymous(self) -> bool:
        return self.kind == "anonymous"


@cache
def table() -> Mapping[str, Mapping[str, Rule]]:
    rules: Mapping[str, Mapping[str, Rule]] = yaml.safe_load(_TABLE.read_text())
    return rules


@cache
def _row(key: str) -> Mapping[str, Rule] | None:
    """The table's rules for a key: those of the key itself, or of the longest pattern that matches it."""
    matching = [pattern for pattern in table() if pattern == key or like(key, pattern)]
    return table()[max(matching, key=lambda pattern: (pattern == key, len(pattern)))] if matching else None


def is_judged(key: str) -> bool:
    return _row(key) is not None


def of(principal: ExternalPrincipal, key: str) -> Rule:
    """The table's rule for a principal; `never` if the key's rules are all for others."""
    row = _row(key) or {}
    names = (principal.kind, principal.place, "anonymous" if principal.anonymous else "signed", "any")
    return next((row[name] for name in names if name in row), "never")


def values(principal: ExternalPrincipal, key: str, asked: Sequence[Entry]) -> list[RequestValue]:
    """What the principal may have under a key: one value of each kind that these conditions on it distinguish.

    Raises ValueError if there are too many.
    """
    rule = of(principal, key)
    if not isinstance(rule, str):
        absent: list[RequestValue] = [None] if rule.get("optional") else []
        if "own" in rule:
            return absent + _sets(key, [*dict.fromkeys(_own(principal, rule, asked))], asked)
        return absent + [(text,) for text in rule.get("given", ())]
    match rule:
        case "chosen":
            return [None, *_sets(key, [*dict.fromkeys([FRESH, *_texts(asked)])], asked)]
        case "address":
            return [(text,) for text in on_the_internet(_ranges(asked))]
        case "any_address":
            return [(text,) for text in anywhere(_ranges(asked))]
        case "now":
            return [(str(principal.now),)]
        case "ours" if principal.ours:
            return [(principal.ours,)]
        case "ours":
            return [(text,) for text in dict.fromkeys([FRESH, *_texts(asked)])]
        case _:
            return [None]


def _sets(key: str, texts: Sequence[str], asked: Sequence[Entry]) -> list[RequestValue]:
    """One value each; for a key that may have several values, pairs as well."""
    sets: list[RequestValue] = [(text,) for text in texts]
    if "count" in (_row(key) or {}) and any(entry.quantifier for entry in asked):
        pairs = list(combinations(texts, 2))
        if len(pairs) > _MAX_PAIRS:
            raise ValueError("more values than can be tried in pairs")
        sets += pairs
    return sets


def _ranges(asked: Sequence[Entry]) -> list[list[Network]]:
    return [networks(entry.values) for entry in asked if entry.test == "ipaddress"]


def _texts(asked: Sequence[Entry]) -> Iterator[str]:
    """Values that some condition distinguishes from others."""
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
    """Texts that patterns of two conditions on the same key both match."""
    pairs = [
        (pattern, other, (first.of_arns, second.of_arns))
        for first, second in combinations([entry for entry in asked if entry.patterns], 2)
        for pattern in first.values
        for other in second.values
        if pattern != other
    ]
    if sum(len(pattern) * len(other) for pattern, other, _ in pairs) > _MAX_COMPARED:
        raise ValueError("more patterns than can be compared")
    for pattern, other, arns in pairs:
        if (text := common(pattern, other, arns=arns)) is not None:
            yield text


def _own(principal: ExternalPrincipal, rule: Values, asked: Sequence[Entry]) -> Iterator[str]:
    """Names that the principal has or can get: those of the rule's forms, and those of patterns that leave it open."""
    forms = [form.replace("ACCOUNT", principal.account) for form in rule["own"]]
    for form in forms:
        yield form.replace("*", FRESH).replace("?", FRESH)
    patterns = [(value, entry.of_arns) for entry in asked if entry.patterns for value in entry.values]
    for pattern, of_arns in patterns:
        if _is_owned(pattern, rule):
            continue
        for form in forms:
            if (text := common(pattern, form, arns=(of_arns, form.startswith("arn:")))) is not None:
                yield text
    for text in map(partial(_of_account, principal.account), _in_common(asked)):
        if any(_is_own(text, form, rule) for form in forms):
            yield text
    for entry in asked:  # the same text in another letter case
        if entry.test == "stringequalsignorecase":
            yield from (value for value in entry.values if value.lower() == principal.account)


def _of_account(account: str, text: str) -> str:
    """An ARN whose account is open, with this account; any other text unchanged."""
    parts = text.split(":", 5)
    if len(parts) == 6 and FRESH in parts[4]:
        parts[4] = account
    return ":".join(parts)


def _is_own(text: str, form: str, rule: Values) -> bool:
    """Whether a text that patterns have in common has the form: of the principal's account, or else not yet taken."""
    if not (arn_like(text, form) if form.startswith("arn:") else like(text, form)):
        return False
    of_account = form not in rule["own"]
    return of_account or FRESH in (text.partition(rule["until"])[0] if "until" in rule else text)


def _is_owned(pattern: str, rule: Values) -> bool:
    """Whether every text that it matches already belongs to somebody."""
    owner = pattern.partition(rule["until"])[0] if "until" in rule else pattern
    return not _WILD.search(owner) or len(literal_start(pattern)) >= rule.get("least", len(pattern) + 1)


def accounts(asked: Sequence[Entry], ours: str | None) -> list[str]:
    """Account numbers of external principals: one that the policy doesn't name, and some that its patterns match."""
    words = {value for entry in asked if "ACCOUNT" in str(_row(entry.key)) for value in entry.values}
    parts = {part for word in words for part in (word, *word.split(":")[4:5])}
    named = {part for part in parts if not _WILD.search(part)} | {ours}
    candidates = [str(900_000_000_001 + n) for n in range(len(named) + 1)]
    numbers = [next(number for number in candidates if number not in named)]
    for part in sorted(parts):
        if _WILD.search(part) and re.fullmatch(r"[\d*?]+", part) and part.strip("*"):
            numbers += [text for filling in "07" if (text := _filled(part, filling)) and text not in named]
    return list(dict.fromkeys(numbers))


def _filled(pattern: str, filling: str) -> str | None:
    """A number of twelve digits that a pattern of digits matches."""
    text = pattern.replace("?", filling)
    missing = 12 - len(text.replace("*", ""))
    text = text.replace("*", filling * missing, 1).replace("*", "")
    return text if missing >= 0 and len(text) == 12 else None
