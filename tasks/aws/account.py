"""The account itself, and its root principal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from loaders.model import Node, Source, key, outgoing, prop
from tasks.aws.api import listing
from tasks.aws.principals import AWSPrincipal
from tasks.resource import Per, ResourceType


def root_arn(source: Source) -> str:
    return f"arn:{source.partition}:iam::{source.item['Account']}:root"


def root(source: Source) -> list[Mapping[str, str]]:
    return [{"arn": root_arn(source), "type": "AWS"}]


def profile_name(source: Source) -> str | None:
    return source.tenant_name or None


class AWSAccount(Node, label="AWSAccount"):
    id: str = key("Account", "12 digits.")
    name: str | None = prop(profile_name, "Name of the profile that reached it.")
    relationships = (outgoing("RESOURCE", "AWSPrincipal", root_arn),)


ACCOUNT: Final = ResourceType(
    "aws.account",
    Per.TENANT,
    fetch=listing("sts:GetCallerIdentity", items_at=""),
    yields=(AWSAccount, AWSPrincipal.each(root)),
)
