r"""Groups that stand for AWS roles, by name: `aws#prod#admin#111122223333` is the role admin of that account.

The setting is a regular expression in which (?{{role}}...) and (?{{accountid}}...) match the role and the account.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from tasks.okta.access import OktaAccess
from tasks.provider import Source, at

DEFAULT: Final = r"^aws\#\S+\#(?{{role}}[\w\-]+)\#(?{{accountid}}\d+)$"


def check(value: str) -> str | None:
    """What is wrong with the setting, or None."""
    for name in ("role", "accountid"):
        if f"(?{{{{{name}}}}}" not in value:
            return f"must contain (?{{{{{name}}}}}...), as the default does: {DEFAULT}"
    try:
        compiled(value)
    except re.error as error:
        return f"is not a regular expression: {error}"
    return None


@cache
def compiled(setting: str) -> re.Pattern[str]:
    return re.compile(setting.strip().replace("{{role}}", "P<role>").replace("{{accountid}}", "P<accountid>"))


def role_name(group: Source) -> str | None:
    return _matched(group, "role")


def account_id(group: Source) -> str | None:
    return _matched(group, "accountid")


def _matched(group: Source, what: str) -> str | None:
    name: object = at("profile.name", group.item)
    regex = OktaAccess.from_json(group.access).saml_role_regex
    match = compiled(regex).search(name) if isinstance(name, str) else None
    return match[what] if match else None
