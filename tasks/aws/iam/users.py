"""IAM users: their groups, and the policies of their own."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from tasks.aws.iam.policies import policies_of
from tasks.aws.tags import AWSTag, tag_keys
from tasks.aws.vocabulary.principals import AWSPrincipal
from tasks.provider import Per, ResourceType, Source, constant, key, listing, outgoing, prop


def password_last_used(user: Source) -> datetime | None:
    """Only ListUsers has it. A user created after that call has not used a password yet."""
    last_used: datetime | None = user.item["ListUsers"].get(user.item.get("UserId"), {}).get("PasswordLastUsed")
    return last_used


def password_enabled(user: Source) -> bool | None:
    response = user.item["GetLoginProfile"]
    return None if response is None else bool(response)


def group_arns(user: Source) -> list[str]:
    """The details of a user have the names of groups, but ARNs contain the path as well.

    Groups are listed once the first users have been read. One that is missing may have been created since then, so its
    ARN is not known: raises KeyError.
    """
    known = user.item["ListGroups"]
    return [arn for name in user.item.get("GroupList") or () if (arn := known[name].get("Arn"))]


class AWSUser(AWSPrincipal, label="AWSUser", tenant="AWSAccount"):
    arn: str = key("Arn")
    id: str = prop("Arn")
    type: str = prop(constant("AWS"))
    userid: str | None = prop("UserId")
    name: str | None = prop("UserName", index=True)
    path: str | None = prop("Path")
    createdate: str | None = prop("CreateDate")
    password_enabled: bool | None = prop(password_enabled, "Whether it has a password. None: could not be read.")
    password_createdate: str | None = prop("GetLoginProfile.LoginProfile.CreateDate", "When it first got a password.")
    passwordlastused: str | None = prop(password_last_used, "None: no password, or never used.")
    permissions_boundary_arn: str | None = prop(
        "PermissionsBoundary.PermissionsBoundaryArn", "The policy that limits what its policies grant. None: no limit."
    )
    relationships = (
        outgoing("MEMBER_AWS_GROUP", "AWSGroup", group_arns),
        outgoing("POLICY", "AWSPolicy", policies_of),
        outgoing("TAGGED", "AWSTag", tag_keys),  # the tagging API lists neither users nor roles
    )


USERS: Final = ResourceType(
    "aws.iam.users",
    Per.TENANT,
    fetch=listing("iam:GetAccountAuthorizationDetails", items_path="UserDetailList", Filter=["User"])
    .lookup("iam:ListUsers", key="UserId")
    .lookup("iam:ListGroups", key="GroupName")
    # A user that was deleted in the meantime has no password either.
    .detail("iam:GetLoginProfile", UserName="UserName", absent_codes="NoSuchEntity", gap=True),
    yields=(AWSUser, AWSTag.each("Tags[]")),
)
