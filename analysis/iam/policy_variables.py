"""Policy variables, `${aws:username}` or `${aws:PrincipalTag/team, 'none'}`: substituted where their value is known.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from analysis.iam.patterns import has_variable
from analysis.iam.request_context import UNDECIDED, Context

SINCE: Final = (
    "2012-10-17"  # the first version of the policy language with variables; a policy without a version has that of 2008
)
# Nothing in a variable is as long: without the bounds, the time to search grows with the cube of the text.
_VARIABLE: Final = re.compile(r"\$\{\s{0,20}([^*?$},'\s][^},']{0,200}?)\s{0,20}(?:,\s{0,20}'([^']{0,500})'\s{0,20})?\}")
_WILD: Final = re.compile(r"[*?$]")
_TOKEN: Final = re.compile(r"\$\{[^}]{0,500}\}|[*?$]")


def are_supported(version: str | None) -> bool:
    """Whether a policy of that version has variables. A version that was not read counts as the present one."""
    return version is None or version >= SINCE


def escaped(text: str) -> str:
    """The pattern that matches this text alone."""
    return _WILD.sub(lambda wild: f"${{{wild[0]}}}", text)


def escape_dollars(value: Any) -> Any:
    """An element of a policy from before 2012, in the present language: in the old one `$` is a plain character."""
    if isinstance(value, str):
        return value.replace("$", "${$}")
    if isinstance(value, list):
        return [escape_dollars(element) for element in value]
    if isinstance(value, Mapping):
        return {name: escape_dollars(element) for name, element in value.items()}
    return value


def substitute(word: str, context: Context) -> str | None:
    """The word with the known values; other variables stay. None: the request has no value for a variable, so the word
    matches nothing.
    """
    if not has_variable(word):
        return word
    absent = False

    def value(match: re.Match[str]) -> str:
        nonlocal absent
        known = context.get(match[1])
        if known is None:
            absent = absent or match[2] is None
            return escaped(match[2] or "")
        return match[0] if known is UNDECIDED or _is_open(known) else known

    text = _VARIABLE.sub(value, word)
    return None if absent else text


def _is_open(known: str) -> bool:
    """Whether a known value is a pattern: the name of a role's session isn't known."""
    return "*" in known.replace("${*}", "")


@lru_cache(maxsize=20_000)
def literally(text: str) -> str:
    """The pattern for a text in which wildcards are plain characters, but variables and `${*}` are not."""
    return _TOKEN.sub(lambda token: token[0] if len(token[0]) > 1 else f"${{{token[0]}}}", text)
