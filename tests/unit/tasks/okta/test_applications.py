"""As which SAML provider of AWS Okta's application signs people in, as its settings say."""

from __future__ import annotations

from typing import Any

import pytest

from loaders.model import Source
from loaders.scope import Scope
from tasks.okta.applications import saml_providers_of_aws

SCOPE = Scope(type="okta.applications", tenant="example")
PATTERN = "arn:aws:iam::${accountid}:saml-provider/OKTA,arn:aws:iam::${accountid}:role/${role}"


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({"app": {"roleValuePattern": PATTERN}}, ["OKTA"]),
        ({"app": {"identityProviderArn": "arn:aws:iam::111122223333:saml-provider/okta"}}, ["okta"]),
        (
            {"app": {"identityProviderArn": "arn:aws:iam::1:saml-provider/a", "roleValuePattern": PATTERN}},
            ["OKTA", "a"],
        ),
        ({"app": {"roleValuePattern": "arn:aws:iam::${accountid}:saml-provider/${name}"}}, None),
        ({"app": {"identityProviderArn": None, "roleValuePattern": 7}}, None),
        ({"app": {}}, None),
        ({"app": None}, None),
        ({"app": "none"}, None),
        ({}, None),
        (None, None),
    ],
)
def test_the_application_names_its_providers_or_it_doesnt(settings: Any, names: list[str] | None) -> None:
    assert saml_providers_of_aws(Source({"id": "0oa1", "settings": settings}, SCOPE)) == names
