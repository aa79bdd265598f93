"""Whom a role lets in whoever they are, by example: any AWS account, GitHub, Google, Facebook, Cognito."""

from __future__ import annotations

from typing import Any

import pytest

from analysis.iam.open_trust import OpenTrust, open_trust

HERE, THERE = "111122223333", "444455556666"
GITHUB = "token.actions.githubusercontent.com"
EKS = "oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE"
COGNITO = "cognito-identity.amazonaws.com"
GOOGLE = "accounts.google.com"
FACEBOOK = "graph.facebook.com"


def found(*statements: dict[str, Any], version: str = "2012-10-17") -> OpenTrust:
    return open_trust(statements, version)


def trusts(condition: Any = None, effect: str = "Allow", principal: Any = "*", **elements: Any) -> dict[str, Any]:
    statement = {"Effect": effect, "Principal": principal, "Action": "sts:AssumeRole", **elements}
    return statement | ({"Condition": condition} if condition else {})


def web(provider: str, condition: Any = None, effect: str = "Allow") -> dict[str, Any]:
    name = provider if provider in (COGNITO, GOOGLE, FACEBOOK) else f"arn:aws:iam::{HERE}:oidc-provider/{provider}"
    return trusts(condition, effect, {"Federated": name}, Action="sts:AssumeRoleWithWebIdentity")


def claims(provider: str, test: str = "StringLike", **values: Any) -> dict[str, Any]:
    return {test: {f"{provider}:{name}": value for name, value in values.items()}}


# --- AWS accounts ---


@pytest.mark.parametrize("principal", ["*", {"AWS": "*"}, {"AWS": [f"arn:aws:iam::{THERE}:root", "*"]}])
def test_anybody_without_a_condition(principal: Any) -> None:
    assert found(trusts(principal=principal)) == OpenTrust(("*",), None, ())


def test_all_but_some_are_anybody() -> None:
    statement = {"Effect": "Allow", "NotPrincipal": {"AWS": f"arn:aws:iam::{THERE}:root"}, "Action": "sts:*"}
    assert found(statement).anybody == ("*",)


@pytest.mark.parametrize(
    "condition",
    [
        {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
        {"StringLike": {"sts:RoleSessionName": "${aws:username}"}},
        {"StringEquals": {"aws:PrincipalTag/team": "red"}},
        {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/admin"}},
        {"StringLike": {"aws:PrincipalOrgID": "o-*"}},
        {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-mine"}},
        {"StringNotEquals": {"aws:PrincipalAccount": THERE}},
        {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "0.0.0.0/1"]}},
    ],
)
def test_conditions_that_anybody_can_fulfil(condition: Any) -> None:
    open_to = found(trusts(condition))
    assert open_to.anybody == ("*",)
    assert open_to.conditions is not None


@pytest.mark.parametrize(
    ("condition", "others"),
    [
        ({"StringEquals": {"aws:PrincipalOrgID": "o-mine"}}, ("o-mine",)),
        ({"StringEquals": {"AWS:principalaccount": [HERE, THERE]}}, (HERE, THERE)),
        ({"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{THERE}:role/*"}}, (THERE,)),
        ({"StringEquals": {"sts:ExternalId": "4711"}}, ("anybody who knows sts:ExternalId",)),
        ({"StringEquals": {"aws:SourceVpce": "vpce-1"}}, ("anybody, under conditions on aws:SourceVpce",)),
        ({"Bool": {"aws:PrincipalIsAWSService": "true"}}, ()),
        # all keys of a condition must hold
        (
            {
                "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/aws-reserved/sso.amazonaws.com/*"},
                "StringEquals": {"aws:PrincipalOrgID": "o-mine"},
            },
            ("*", "o-mine"),
        ),
    ],
)
def test_conditions_that_keep_external_principals_out(condition: Any, others: tuple[str, ...]) -> None:
    assert found(trusts(condition)) == OpenTrust((), None, others)


def test_a_denial_of_all_external_principals_closes_it() -> None:
    mine = {"StringNotEquals": {"aws:PrincipalOrgID": "o-mine"}}
    assert found(trusts(), trusts(mine, "Deny")) == OpenTrust((), None, ("o-mine",))
    assert found(trusts(), trusts(effect="Deny")) == OpenTrust((), None, ())
    spared = {"Effect": "Deny", "NotPrincipal": {"AWS": f"arn:aws:iam::{HERE}:root"}, "Action": "sts:AssumeRole"}
    assert found(trusts(), spared).anybody == ()


def test_a_denial_that_external_principals_can_avoid_closes_nothing() -> None:
    for denied in (
        trusts({"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}, "Deny"),
        trusts({"StringEquals": {"aws:PrincipalAccount": THERE}}, "Deny"),
        trusts(effect="Deny", principal={"AWS": f"arn:aws:iam::{THERE}:root"}),
        trusts(effect="Deny", Action="sts:TagSession"),
    ):
        assert found(trusts(), denied).anybody == ("*",), denied


def test_who_is_named_is_nobody_in_particular() -> None:
    for principal in ({"AWS": f"arn:aws:iam::{THERE}:root"}, {"Service": "ec2.amazonaws.com"}):
        assert found(trusts(principal=principal)) == OpenTrust((), None, ())


# --- providers of identities ---


@pytest.mark.parametrize("provider", [GITHUB, GOOGLE, FACEBOOK, COGNITO, EKS])
def test_that_a_token_is_for_the_right_audience_says_nothing_of_whose_it_is(provider: str) -> None:
    audience = claims(provider, "StringEquals", aud="sts.amazonaws.com")
    assert found(web(provider, audience)).anybody == (provider,)
    assert found(web(provider)).anybody == (provider,)


@pytest.mark.parametrize(
    ("provider", "subject", "is_open"),
    [
        (GITHUB, "*", True),
        (GITHUB, "repo:*", True),
        (GITHUB, "repo:*/*:ref:refs/heads/main", True),
        (GITHUB, "repo:octo*", True),  # anybody may call an organization octo-something
        (GITHUB, "repo:octo-org/*", False),
        (GITHUB, "repo:octo-org/app:*", False),
        (GITHUB, "repo:octo-org/app:ref:refs/heads/main", False),
        (GITHUB, ["repo:octo-org/*", "repo:*:environment:prod"], True),
        (EKS, "system:serviceaccount:*:*", True),
        (EKS, "system:serviceaccount:apps:*", False),
        ("gitlab.com", "project_path:*:ref_type:branch:ref:main", True),
        ("gitlab.com", "project_path:group/*:ref_type:branch:ref:main", False),
        ("app.terraform.io", "organization:*:project:*", True),
        ("app.terraform.io", "organization:acme:project:*", False),
        (GOOGLE, "108000000000000000001", False),
    ],
)
def test_subjects(provider: str, subject: Any, is_open: bool) -> None:
    assert found(web(provider, claims(provider, sub=subject))).anybody == ((provider,) if is_open else ())


def test_wildcards_mean_nothing_where_texts_must_be_equal() -> None:
    assert found(web(GITHUB, claims(GITHUB, "StringEquals", sub="repo:*"))).anybody == ()


def test_other_claims_that_say_whose_a_token_is() -> None:
    assert found(web(GITHUB, claims(GITHUB, "StringEquals", repository_owner="octo-org"))).anybody == ()
    assert found(web(GITHUB, claims(GITHUB, "StringEquals", environment="prod"))).anybody == (GITHUB,)
    assert found(web(GITHUB, claims(GITHUB, "StringNotLike", sub="repo:evil/*"))).anybody == (GITHUB,)
    assert found(web(GITHUB, claims("gitlab.com", sub="repo:*"))).anybody == (), "no token of GitHub has that"


def test_a_denial_of_other_subjects() -> None:
    others = {"StringNotLike": {f"{GITHUB}:sub": "repo:octo-org/*"}}
    audience = claims(GITHUB, aud="sts.amazonaws.com")
    assert found(web(GITHUB, audience), web(GITHUB, others, "Deny")).anybody == ()


def test_whom_cognito_signs_in() -> None:
    """Without a word of how, those who didn't sign in get in as well; of those who did nothing is read."""
    pool = claims(COGNITO, "StringEquals", aud="eu-west-1:pool")
    anybody = claims(COGNITO, "ForAnyValue:StringLike", amr="unauthenticated")
    signed_in = claims(COGNITO, "ForAnyValue:StringLike", amr="authenticated")
    assert found(web(COGNITO, pool | anybody)).anybody == (COGNITO,)
    assert found(web(COGNITO, pool | signed_in)) == OpenTrust((), None, (f"whom {COGNITO} signs in",))


def test_users_of_a_saml_provider_are_not_anybody() -> None:
    provider = {"Federated": f"arn:aws:iam::{HERE}:saml-provider/okta"}
    assert found(trusts(principal=provider, Action="sts:AssumeRoleWithSAML")) == OpenTrust((), None, ())
