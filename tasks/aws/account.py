"""Accounts, and their root principals."""

from __future__ import annotations

from typing import Final

from loaders.model import Node, Source, constant, incoming, key, prop
from tasks.aws.api import listing
from tasks.aws.principals import AWSPrincipal
from tasks.resource import Per, ResourceType


def account_id(source: Source) -> str:
    """STS and Organizations call it by different names."""
    return str(source.item.get("Account") or source.item["Id"])


def account_name(source: Source) -> str | None:
    """None where Organizations has none for it: then the tenant's name isn't its own."""
    name: str | None = source.item.get("Name", source.tenant_name or None)
    return name


class AWSAccount(Node, label="AWSAccount", shared=True):
    """An account that is fetched, and one that is only known from its organization."""

    id: str = key(account_id, "12 digits.")
    name: str | None = prop(
        account_name, "As Organizations has it, where it could be asked; else the profile's that reached it."
    )


def root_arn(source: Source) -> str:
    return f"arn:{source.partition}:iam::{source.item['Account']}:root"


class AWSRootPrincipal(AWSPrincipal, label="AWSRootPrincipal"):
    arn: str = key(root_arn)
    type: str = prop(constant("AWS"))
    relationships = (incoming("RESOURCE", "AWSAccount", account_id),)


ACCOUNT: Final = ResourceType(
    "aws.account",
    Per.TENANT,
    fetch=listing("sts:GetCallerIdentity", items_at=""),
    yields=(AWSAccount, AWSRootPrincipal),
)
