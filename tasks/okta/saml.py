r"""Groups that stand for AWS roles, by name: `aws#prod#admin#111122223333` is the role admin of that account.

The setting is a regular expression in which (?{{role}}...) and (?{{accountid}}...) match the role and the account. RE2
matches it, in a time that grows with the length of a name only: whoever may name a group must not be able to stall a
worker. RE2 knows neither lookaround nor backreferences.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from tasks.engine.values import well_formed
from tasks.okta.access import OktaAccess
from tasks.provider import Source, at

DEFAULT: Final = r"^aws\#\S+\#(?{{role}}[\w\-]+)\#(?{{accountid}}\d+)$"


def check(value: str) -> str | None:
    """What is wrong with the setting, or None."""
    import re2  # not for the sake of help, which shows the option

    for name in ("role", "accountid"):
        if f"(?{{{{{name}}}}}" not in value:
            return f"must contain (?{{{{{name}}}}}...), as the default does: {DEFAULT}"
    try:
        compiled(value)
    except re2.error as error:
        [message] = error.args
        problem = message.decode(errors="replace") if isinstance(message, bytes) else message
        return f"is not a regular expression that RE2 can match, without lookaround and backreferences: {problem}"
    return None


@cache
def compiled(setting: str) -> Any:
    import re2

    pattern = setting.strip().replace("{{role}}", "P<role>").replace("{{accountid}}", "P<accountid>")
    options = re2.Options()
    options.log_errors = False  # to the terminal, as it would
    return re2.compile(pattern, options)


def role_name(group: Source) -> str | None:
    return _matched(group, "role")


def account_id(group: Source) -> str | None:
    return _matched(group, "accountid")


def _matched(group: Source, what: str) -> str | None:
    name: object = at("profile.name", group.item)
    regex = OktaAccess.from_json(group.access).saml_role_regex
    match = compiled(regex).search(well_formed(name)) if isinstance(name, str) else None
    found: str | None = match[what] if match else None
    return found
