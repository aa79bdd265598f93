"""Which groups are roles of AWS, by their names."""

from __future__ import annotations

import pytest

from loaders.model import Source
from loaders.scope import Scope
from tasks.okta import saml


def group(name: str, regex: str = saml.DEFAULT) -> Source:
    scope = Scope(type="okta.groups", tenant="example")
    return Source({"profile": {"name": name}}, scope, access={"saml_role_regex": regex})


def test_the_default_reads_account_and_role() -> None:
    found = group("aws#prod#site-admin#111122223333")
    assert (saml.role_name(found), saml.account_id(found)) == ("site-admin", "111122223333")


@pytest.mark.parametrize(
    "name", ["Everyone", "aws#prod#admin", "aws#prod#admin#11112222x", "x aws#prod#admin#111122223333"]
)
def test_any_other_name_is_none(name: str) -> None:
    assert (saml.role_name(group(name)), saml.account_id(group(name))) == (None, None)


def test_one_of_your_own_with_spaces_around_it() -> None:
    found = group("AWS_111122223333_ops/admin", r"  ^AWS_(?{{accountid}}\d{12})_(?{{role}}[\w/]+)$ ")
    assert (saml.role_name(found), saml.account_id(found)) == ("ops/admin", "111122223333")


@pytest.mark.parametrize(
    ("regex", "told"),
    [
        (r"^aws#(?{{role}}\w+)$", "must contain (?{{accountid}}...)"),
        (r"^aws#(\w+)#(\d+)$", "must contain (?{{role}}...)"),
        (r"^(?{{role}}\w+#(?{{accountid}}\d+)$", "is not a regular expression"),
    ],
)
def test_what_is_wrong_with_a_setting_is_told(regex: str, told: str) -> None:
    assert told in str(saml.check(regex))
    assert saml.check(saml.DEFAULT) is None
