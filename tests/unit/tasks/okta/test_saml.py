"""Which groups stand for AWS roles, by a regular expression of the user's: it is matched in linear time, or refused."""

from __future__ import annotations

import time

import pytest

from loaders.model import Source
from loaders.scope import Scope
from tasks.okta import saml

SCOPE = Scope(type="okta.groups", tenant="example")


def roles(name: object, regex: str = saml.DEFAULT) -> tuple[str | None, str | None]:
    access = {"base_url": "https://example.okta.com", "api_key_variable": "OKTA_KEY", "saml_role_regex": regex}
    group = Source({"profile": {"name": name}}, SCOPE, access=access)
    return saml.role_name(group), saml.account_id(group)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("aws#prod#admin#111122223333", ("admin", "111122223333")),
        ("Everyone", (None, None)),
        ("aws#\ud800#admin#111122223333", ("admin", "111122223333")),
        (None, (None, None)),
        (7, (None, None)),
    ],
)
def test_a_group_is_a_role_by_its_name(name: object, found: tuple[str | None, str | None]) -> None:
    assert roles(name) == found


def test_no_name_takes_long_to_match() -> None:
    """Python's own expressions double their time with each letter here."""
    started = time.monotonic()
    assert roles("a" * 20_000, r"^(?{{role}}(\w|\w\w)*)#(?{{accountid}}\d+)$") == (None, None)
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("regex", [r"(?{{role}}(?=a))(?{{accountid}}\d)", r"(?{{role}}(a)\1)(?{{accountid}}\d)"])
def test_what_has_no_linear_time_is_refused(regex: str) -> None:
    problem = saml.check(regex)
    assert problem
    assert problem.startswith("is not a regular expression that RE2 can match")


def test_the_default_is_valid() -> None:
    assert saml.check(saml.DEFAULT) is None
