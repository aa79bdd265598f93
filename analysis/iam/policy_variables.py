"""Policy variables: `${aws:username}` in a value or a resource stands for what the request has under that key.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from analysis.iam.condition_operators import Entry, Found

_VARIABLE: Final = re.compile(r"\$\{\s*([^*?$}][^},]*?)\s*(?:,\s*'([^']*)'\s*)?\}")
_WILD: Final = re.compile(r"[*?$]")


def keys(words: Iterable[str]) -> set[str]:
    return {found[1].lower() for word in words for found in _VARIABLE.finditer(word)}


def resolved(word: str, request: Mapping[str, Found], *, pattern: bool) -> str | None:
    """The word with the values of a request. None where it has no value, and the word no default, for a variable."""
    missing = False

    def value(found: re.Match[str]) -> str:
        nonlocal missing
        values = request.get(found[1].lower())
        text = values[0] if values and len(values) == 1 else found[2]
        missing = missing or text is None
        text = text or ""
        return _WILD.sub(lambda one: f"${{{one[0]}}}", text) if pattern else text

    text = _VARIABLE.sub(value, word)
    return None if missing else text


def with_values(entry: Entry, request: Mapping[str, Found], judged: set[str]) -> Entry:
    """The condition for a request. What names a variable without a value is equal to nothing.

    Whether it then counts as unequal AWS doesn't say; nor is anything known of variables that aren't judged.
    """
    if not keys(entry.values):
        return entry
    texts = [resolved(value, request, pattern=entry.patterns) for value in entry.values]
    unknown = not keys(entry.values) <= judged or entry.negated
    return replace(
        entry,
        values=tuple(text for text in texts if text is not None),
        unresolved=unknown and None in texts,
    )
