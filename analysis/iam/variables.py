"""Policy variables, `${aws:username}` and `${aws:PrincipalTag/team, 'none'}`: put in where their value is known.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from analysis.iam.patterns import has_variable
from analysis.iam.request_context import UNDECIDED, Context

SINCE: Final = "2012-10-17"  # the version of the policy language that has them; what names none is of 2008
_VARIABLE: Final = re.compile(r"\$\{\s*([^*?$},'\s][^},']*?)\s*(?:,\s*'([^']*)'\s*)?\}")
_WILD: Final = re.compile(r"[*?$]")
_TOKEN: Final = re.compile(r"\$\{[^}]*\}|[*?$]")


def are_known_to(version: str | None) -> bool:
    """Whether a policy of that version has variables. A version that was not read is taken for today's."""
    return version is None or version >= SINCE


def escaped(text: str) -> str:
    """The pattern that matches this text alone."""
    return _WILD.sub(lambda found: f"${{{found[0]}}}", text)


def without_variables(value: Any) -> Any:
    """An element of a policy of before 2012, in today's words: there `$` is a character like any other."""
    if isinstance(value, str):
        return value.replace("$", "${$}")
    if isinstance(value, list):
        return [without_variables(one) for one in value]
    if isinstance(value, Mapping):
        return {name: without_variables(one) for name, one in value.items()}
    return value


def put_in(word: str, context: Context) -> str | None:
    """The word with the values that are known; a variable of another stays. None: one has no value, so that it
    matches nothing.
    """
    if not has_variable(word):
        return word
    absent = False

    def value(found: re.Match[str]) -> str:
        nonlocal absent
        known = context.get(found[1])
        if known is None:
            absent = absent or found[2] is None
            return escaped(found[2] or "")
        return found[0] if known is UNDECIDED or _is_open(known) else known

    text = _VARIABLE.sub(value, word)
    return None if absent else text


def _is_open(known: str) -> bool:
    """Whether a known value is a pattern: of a role's session the name isn't known."""
    return "*" in known.replace("${*}", "")


@lru_cache(maxsize=20_000)
def literally(text: str) -> str:
    """The pattern of a text in which wildcards mean nothing, but variables and `${*}` do."""
    return _TOKEN.sub(lambda found: found[0] if len(found[0]) > 1 else f"${{{found[0]}}}", text)
