from __future__ import annotations

import pytest

from tasks.okta.options import OktaOptions, check_org


@pytest.mark.parametrize(
    ("options", "conflict"),
    [
        (OktaOptions(okta_org_id="example"), "needs okta_api_key_env_var"),
        (OktaOptions(okta_api_key_env_var="OKTA_KEY"), "needs okta_org_id"),
    ],
)
def test_organization_and_token_are_given_together(options: OktaOptions, conflict: str) -> None:
    assert conflict in str(options.conflicts())
    assert OktaOptions().conflicts() is None
    assert OktaOptions(okta_org_id="example", okta_api_key_env_var="OKTA_KEY").conflicts() is None


def test_an_organization_is_one_word() -> None:
    assert check_org("example") is None
    assert check_org("example.okta.com") is not None
