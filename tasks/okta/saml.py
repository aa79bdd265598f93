r"""Groups that are roles of AWS, by their names: `aws#prod#admin#111122223333` is the role admin of that account.

The setting is a regular expression in which (?{{role}}...) and (?{{accountid}}...) name the groups that hold both.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, Final

from loaders.model import Source, at

DEFAULT: Final = r"^aws\#\S+\#(?{{role}}[\w\-]+)\#(?{{accountid}}\d+)$"


def check(value: Any) -> str | None:
    """What is wrong with the setting, or None."""
    for name in ("role", "accountid"):
        if f"(?{{{{{name}}}}}" not in value:
            return f"must hold (?{{{{{name}}}}}...), as the default does: {DEFAULT}"
    try:
        compiled(value)
    except re.error as error:
        return f"is no regular expression: {error}"
    return None


@cache
def compiled(setting: str) -> re.Pattern[str]:
    return re.compile(setting.strip().replace("{{role}}", "P<role>").replace("{{accountid}}", "P<accountid>"))


def role_name(group: Source) -> str | None:
    return _found(group, "role")


def account_id(group: Source) -> str | None:
    return _found(group, "accountid")


def _found(group: Source, what: str) -> str | None:
    name = at("profile.name", group.item)
    match = compiled(group.access["saml_role_regex"]).search(name) if isinstance(name, str) else None
    return match[what] if match else None
