"""The users and roles of the demo's estate, with the principals that the roles trust."""

from __future__ import annotations

from typing import Any

from demo.inventory import PARTNER, Estate
from demo.policies import policy


def fill_identities(iam: Any, estate: Estate) -> None:
    for name, path in {"alice": "/", "bob": "/", "deployer": "/ci/", "former-employee": "/"}.items():
        estate.users[name] = iam.create_user(UserName=name, Path=path)["User"]["Arn"]
    document = "<EntityDescriptor>" + " " * 1024 + "</EntityDescriptor>"
    saml = iam.create_saml_provider(Name="corporate", SAMLMetadataDocument=document)["SAMLProviderArn"]
    github = f"arn:aws:iam::{estate.account}:oidc-provider/token.actions.githubusercontent.com"
    auditor = f"arn:aws:iam::{PARTNER}:role/Auditor"
    engineer = f"arn:aws:iam::{estate.account}:role/engineer"
    saml_audience = {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}}
    trusts: dict[str, list[dict[str, Any]]] = {
        "web-instance": [_trust({"Service": "ec2.amazonaws.com"})],
        "pipeline": [_trust({"Service": ["codebuild.amazonaws.com", "lambda.amazonaws.com"]})],
        "administrator": [_trust({"AWS": f"arn:aws:iam::{estate.account}:root"})],
        "audit": [_trust({"AWS": auditor}, Condition={"StringEquals": {"sts:ExternalId": "demo"}})],
        "partner-account": [_trust({"AWS": PARTNER})],  # a bare account id stands for the root of the account
        "break-glass": [_trust({"AWS": [estate.users["alice"], estate.users["bob"]]})],
        "anyone": [_trust({"AWS": "*"})],
        "anyone-at-all": [_trust("*")],
        "engineer": [_trust({"Federated": saml}, "sts:AssumeRoleWithSAML", Condition=saml_audience)],
        "deploy-from-github": [_trust({"Federated": github}, "sts:AssumeRoleWithWebIdentity")],
        "break-glass-chain": [_trust({"AWS": engineer}), _trust({"Service": "ssm.amazonaws.com"})],
    }
    for name, statements in trusts.items():
        path = "/service/" if name == "pipeline" else "/"
        role = iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=policy(*statements))["Role"]
        estate.roles[name] = role["Arn"]
        estate.trusts[name] = {principal for trust in statements for principal in _principals(trust["Principal"])}


def _trust(principal: str | dict[str, Any], action: str = "sts:AssumeRole", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": principal, "Action": action, **more}


def _principals(principal: str | dict[str, Any]) -> set[str]:
    values = [principal] if isinstance(principal, str) else principal.values()
    return {name for value in values for name in ([value] if isinstance(value, str) else value)}
