"""The parameters of a query: which it has, and what a command line gives for them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping
from typing import NoReturn

from analysis import cypher35
from analysis.job_file import fits
from loaders.errors import UsageError
from loaders.nearest import did_you_mean


def names(query: str) -> list[str]:
    """`$account`, or `$`account``, without what stands in texts and comments."""
    pairs = itertools.pairwise(cypher35.code(query))
    return list(dict.fromkeys(token.name for mark, token in pairs if mark.text == "$" and token.kind != "mark"))


def given(query: str, words: Iterable[str]) -> dict[str, object]:
    """The values of `name=value`, JSON if it can be, else a text. Raises UsageError for a missing or unknown one."""
    needed = names(query)
    values: dict[str, object] = {}
    for word in words:
        name, separator, text = word.partition("=")
        if not separator or not name:
            raise UsageError(f'--param: "{word}": give name=value')
        if name not in needed:
            has = f"it has {', '.join(f'${one}' for one in needed)}" if needed else "it has none"
            raise UsageError(f"--param: the query has no parameter ${name}{did_you_mean(name, needed)}; {has}")
        if name in values:
            raise UsageError(f"--param: ${name} is given twice")
        values[name] = _value(name, text)
    if missing := [name for name in needed if name not in values]:
        raise UsageError(f"the query needs ${missing[0]}: give --param {missing[0]}=VALUE")
    return values


def mistakable(values: Mapping[str, object]) -> list[str]:
    """Numbers that were perhaps meant as texts, as ids of accounts are: a comparison of the two is never true."""
    return [name for name, value in values.items() if isinstance(value, int) and not isinstance(value, bool)]


def _value(name: str, text: str) -> object:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UsageError(f"--param: ${name}: is not valid UTF-8") from None
    try:
        value: object = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return text
    if not fits(value):
        raise UsageError(f"--param: ${name}: {text[:60]}: the integers of the graph have 64 bits")
    return value


def _no_constant(_: str) -> NoReturn:
    """NaN and Infinity are texts."""
    raise ValueError
