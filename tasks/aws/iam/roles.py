"""IAM roles: the principals they trust, and the policies they have."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from analysis.iam.open_trust import OpenTrust, open_trust
from tasks.aws.iam import saml_trust
from tasks.aws.iam.policies import policies_of
from tasks.aws.tags import AWSTag, tag_keys
from tasks.aws.vocabulary.policy_document import language_version, statements
from tasks.aws.vocabulary.principals import AWSPrincipal, trusted
from tasks.provider import Per, ResourceType, Source, constant, key, listing, outgoing, prop


def trusted_principals(role: Source) -> list[Mapping[str, str]]:
    return trusted(role.item["AssumeRolePolicyDocument"])


def trust_policy(role: Source) -> str:
    return json.dumps(statements(role.item["AssumeRolePolicyDocument"]))


def trust_policy_version(role: Source) -> str | None:
    return language_version(role.item["AssumeRolePolicyDocument"])


def _open_trust(role: Source) -> OpenTrust:
    return open_trust(statements(role.item["AssumeRolePolicyDocument"]), trust_policy_version(role))


def trusts_anybody(role: Source) -> list[str]:
    return list(_open_trust(role).anybody)


def trusts_anybody_if(role: Source) -> list[str] | None:
    conditions = _open_trust(role).conditions
    return None if conditions is None else list(conditions)


def trusts_others(role: Source) -> list[str]:
    return list(_open_trust(role).others)


def trusted_arns(role: Source) -> list[str]:
    return [principal["arn"] for principal in trusted_principals(role)]


class AWSRole(AWSPrincipal, label="AWSRole", tenant="AWSAccount"):
    arn: str = key("Arn")
    id: str = prop("Arn")
    type: str = prop(constant("AWS"))
    roleid: str | None = prop("RoleId")
    name: str | None = prop("RoleName")
    path: str | None = prop("Path")
    createdate: str | None = prop("CreateDate")
    trust_policy: str = prop(trust_policy, "Who may assume it: JSON, the list of the trust policy's statements.")
    trust_policy_version: str | None = prop(
        trust_policy_version, "Version of the policy language: policies before 2012-10-17 have no variables."
    )
    trusts_anybody: list[str] = prop(
        trusts_anybody,
        "Set if anybody may assume it: `*` for principals of any AWS account, or the identity providers of which any "
        "user may. []: nobody.",
    )
    trusts_anybody_if: list[str] | None = prop(
        trusts_anybody_if, "The conditions that anybody has to fulfil, each as JSON. None: unconditional."
    )
    trusts_others: list[str] = prop(
        trusts_others,
        "Others that it trusts: accounts and organizations named only by its conditions, or a description.",
    )
    permissions_boundary_arn: str | None = prop(
        "PermissionsBoundary.PermissionsBoundaryArn", "The policy that limits what its policies grant. None: no limit."
    )
    saml_providers: list[str] = prop(
        saml_trust.saml_providers, "ARNs of the SAML providers whose users may assume it; `*`: any provider."
    )
    relationships = (
        outgoing("TRUSTS_AWS_PRINCIPAL", "AWSPrincipal", trusted_arns),
        outgoing("POLICY", "AWSPolicy", policies_of),
        outgoing("TAGGED", "AWSTag", tag_keys),  # the tagging API lists neither users nor roles
    )


ROLES: Final = ResourceType(
    "aws.iam.roles",
    Per.TENANT,
    fetch=listing("iam:GetAccountAuthorizationDetails", items_path="RoleDetailList", Filter=["Role"]),
    yields=(AWSRole, AWSPrincipal.each(trusted_principals), AWSTag.each("Tags[]")),
)
