"""IAM roles with whom they trust, and users."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from loaders.model import Source, constant, key, outgoing, prop
from tasks.aws.api import listing
from tasks.aws.principals import AWSPrincipal, trusted
from tasks.resource import Per, ResourceType


def trusted_principals(role: Source) -> list[Mapping[str, str]]:
    return trusted(role.item["AssumeRolePolicyDocument"])


def trusted_arns(role: Source) -> list[str]:
    return [principal["arn"] for principal in trusted_principals(role)]


class AWSRole(AWSPrincipal, label="AWSRole", tenant="AWSAccount"):
    arn: str = key("Arn")
    type: str = prop(constant("AWS"))
    roleid: str = prop("RoleId")
    name: str = prop("RoleName")
    path: str = prop("Path")
    createdate: str = prop("CreateDate")
    relationships = (outgoing("TRUSTS_AWS_PRINCIPAL", "AWSPrincipal", trusted_arns),)


class AWSUser(AWSPrincipal, label="AWSUser", tenant="AWSAccount"):
    arn: str = key("Arn")
    type: str = prop(constant("AWS"))
    userid: str = prop("UserId")
    name: str = prop("UserName", index=True)
    path: str = prop("Path")
    createdate: str = prop("CreateDate")
    passwordlastused: str | None = prop("PasswordLastUsed", "None: has no password, or never used it.")


ROLES: Final = ResourceType(
    "aws.iam.roles",
    Per.TENANT,
    fetch=listing("iam:ListRoles"),
    yields=(AWSRole, AWSPrincipal.each(trusted_principals)),
    also=("iam",),
)

USERS: Final = ResourceType(
    "aws.iam.users", Per.TENANT, fetch=listing("iam:ListUsers"), yields=(AWSUser,), also=("iam",)
)
