"""Accounts, and their root principals."""

from __future__ import annotations

from typing import Final

from tasks.aws.vocabulary.arn import arn_at
from tasks.aws.vocabulary.node import AWSNode
from tasks.aws.vocabulary.principals import AWSPrincipal
from tasks.provider import Per, ResourceType, Source, constant, incoming, key, listing, prop


def tenant_name(source: Source) -> str | None:
    return source.tenant_name or None


class AWSAccount(AWSNode, label="AWSAccount", shared=True):
    """Shared: its organization lists it as well."""

    id: str = key("Account", "12 digits.")
    name: str | None = prop(
        tenant_name, "Its name in the organization, if an account may list it; otherwise the name of the profile."
    )


root_arn = arn_at("iam", constant("root"), account="Account")


class AWSRootPrincipal(AWSPrincipal, label="AWSRootPrincipal", arn=None):
    arn: str = key(root_arn)
    id: str = prop(root_arn)
    type: str = prop(constant("AWS"))
    relationships = (incoming("RESOURCE", "AWSAccount", "Account"),)


ACCOUNT: Final = ResourceType(
    "aws.account",
    Per.TENANT,
    fetch=listing("sts:GetCallerIdentity", items_path=""),
    yields=(AWSAccount, AWSRootPrincipal),
)
