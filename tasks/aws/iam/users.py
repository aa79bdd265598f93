"""IAM users: the groups they are members of, and the policies they have themselves."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from loaders.model import Source, constant, key, outgoing, prop
from tasks.aws.iam.policies import policies_of
from tasks.aws.tags import AWSTag, tag_keys
from tasks.aws.vocabulary.principals import AWSPrincipal
from tasks.engine.listing import listing
from tasks.resource import Per, ResourceType


def password_last_used(user: Source) -> datetime | None:
    """Only the list of users says it. A user made after that was read has not used one."""
    last_used: datetime | None = user.item["ListUsers"].get(user.item.get("UserId"), {}).get("PasswordLastUsed")
    return last_used


def group_arns(user: Source) -> list[str]:
    """A user's details name groups by their names, and an ARN holds the path as well.

    The groups are listed once the first users were read. One that isn't among them may have been made since: that the
    user is in none of that name can't be said, so it raises KeyError.
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
    passwordlastused: str | None = prop(password_last_used, "None: has no password, or never used it.")
    permissions_boundary_arn: str | None = prop(
        "PermissionsBoundary.PermissionsBoundaryArn", "The policy that bounds what its policies grant. None: nothing."
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
    .lookup("iam:ListGroups", key="GroupName"),
    yields=(AWSUser, AWSTag.each("Tags[]")),
    aliases=("iam",),
)
