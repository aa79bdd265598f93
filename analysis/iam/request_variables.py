"""Policy variables in a request whose values are all chosen: `${aws:username}` is replaced by the value of that key.

For principals of the graph, of whose requests only some values are known, see `policy_variables`.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from analysis.iam.condition_operators import Entry, RequestValue

# Bounded as those of policy_variables.
_VARIABLE: Final = re.compile(r"\$\{\s{0,20}([^*?$}][^},]{0,200}?)\s{0,20}(?:,\s{0,20}'([^']{0,500})'\s{0,20})?\}")
_WILD: Final = re.compile(r"[*?$]")


def keys(words: Iterable[str]) -> set[str]:
    return {match[1].lower() for word in words for match in _VARIABLE.finditer(word)}


def substitute(word: str, request: Mapping[str, RequestValue], *, pattern: bool) -> str | None:
    """The word with the values of a request. None if the request has no value for a variable without a default."""
    missing = False

    def value(match: re.Match[str]) -> str:
        nonlocal missing
        values = request.get(match[1].lower())
        text = values[0] if values and len(values) == 1 else match[2]
        missing = missing or text is None
        text = text or ""
        return _WILD.sub(lambda wild: f"${{{wild[0]}}}", text) if pattern else text

    text = _VARIABLE.sub(value, word)
    return None if missing else text


def with_values(entry: Entry, request: Mapping[str, RequestValue], judged: set[str]) -> Entry:
    """The condition for a request. A value with a variable that has no value equals nothing.

    Whether it then counts as unequal is not documented by AWS, and not known for variables that aren't judged.
    """
    if not keys(entry.values):
        return entry
    texts = [substitute(value, request, pattern=entry.patterns) for value in entry.values]
    unknown = not keys(entry.values) <= judged or entry.negated
    return replace(
        entry,
        values=tuple(text for text in texts if text is not None),
        unresolved=unknown and None in texts,
    )
