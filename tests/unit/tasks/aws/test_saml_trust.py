"""The SAML providers that a trust policy allows."""

from __future__ import annotations

from typing import Any

import pytest

from loaders.model import Source
from loaders.scope import Scope
from tasks.aws.iam.saml_trust import saml_providers

OKTA, OTHER = "arn:aws:iam::111122223333:saml-provider/okta", "arn:aws:iam::111122223333:saml-provider/other"
AUDIENCE = {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}}


def statement(effect: str = "Allow", federated: Any = OKTA, action: Any = "sts:AssumeRoleWithSAML", **more: Any) -> Any:
    principal = {} if "NotPrincipal" in more else {"Principal": {"Federated": federated}}
    return {"Effect": effect, **principal, "Action": action, **more}


@pytest.mark.parametrize(
    ("statements", "providers"),
    [
        ([statement(Condition=AUDIENCE)], [OKTA]),
        (statement(action=["sts:TagSession", "sts:assumerolewithsaml"]), [OKTA]),
        ([statement(federated=[OKTA, OTHER], action="sts:*")], [OKTA, OTHER]),
        ([statement(action="sts:AssumeRole")], []),
        ([{"Effect": "Allow", "Principal": {"Federated": OKTA}, "NotAction": "sts:AssumeRole"}], [OKTA]),
        ([statement(federated="cognito-identity.amazonaws.com")], []),
        ([statement(federated="arn:aws:iam::111122223333:oidc-provider/x")], []),
        ([statement(), statement("Deny")], []),
        ([statement(), statement("Deny", Condition=AUDIENCE)], [OKTA]),
        ([statement(), statement("Deny", federated=OTHER)], [OKTA]),
        ([statement(), {"Effect": "Deny", "Principal": "*", "Action": "*"}], []),
        ([statement(), {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}], [OKTA]),
        ([{"Effect": "Allow", "Principal": "*", "Action": "sts:*"}], ["*"]),
        ([statement(NotPrincipal={"AWS": "arn:aws:iam::111122223333:root"})], ["*"]),
        ([], []),
    ],
)
def test_providers_whose_users_may_assume_the_role(statements: Any, providers: list[str]) -> None:
    role = {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": statements}}
    scope = Scope(type="aws.iam.roles", tenant="111122223333")
    assert saml_providers(Source(role, scope)) == providers
