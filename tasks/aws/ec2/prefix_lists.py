"""Managed prefix lists that the account sees, its own and those shared with it, and the addresses that they hold."""

from __future__ import annotations

from typing import Final

from loaders.model import Source, at, key, prop, scope_region
from tasks.aws.vocabulary.node import AWSNode
from tasks.engine.listing import listing
from tasks.ip_range import are_wide
from tasks.resource import Per, ResourceType

_CIDRS: Final = "GetManagedPrefixListEntries.Entries[].Cidr"


def seen_by(account: str, prefix_list: str) -> str:
    """Of a list that many accounts see each has a node: AWS's own lists have the same id in all of them."""
    return f"{account}/{prefix_list}"


def list_id(prefix_list: Source) -> str:
    return seen_by(prefix_list.scope.tenant, prefix_list.item["PrefixListId"])


def wide(prefix_list: Source) -> bool | None:
    """Whether its entries together limit nobody; None where they could not be read."""
    cidrs = at(_CIDRS, prefix_list.item)
    return None if cidrs is None else are_wide(cidrs)


class EC2ManagedPrefixList(AWSNode, label="EC2ManagedPrefixList", tenant="AWSAccount", arn=None):
    id: str = key(list_id, "<account that sees it>/<prefix list>")
    prefix_list_id: str = prop("PrefixListId", index=True)
    arn: str | None = prop("PrefixListArn", index=True)
    name: str | None = prop("PrefixListName")
    owner_id: str | None = prop("OwnerId", "An account, or AWS.")
    address_family: str | None = prop("AddressFamily", "IPv4 or IPv6.")
    state: str | None = prop("State")
    version: int | None = prop("Version", "None for AWS's own lists.")
    max_entries: int | None = prop("MaxEntries")
    cidrs: list[str] | None = prop(_CIDRS, "None: the entries could not be read.")
    wide: bool | None = prop(wide, "Its entries together limit nobody, as IpRange.wide. None: they could not be read.")
    region: str = prop(scope_region)


PREFIX_LISTS: Final = ResourceType(
    "aws.ec2.prefix_lists",
    Per.REGION,
    fetch=listing("ec2:DescribeManagedPrefixLists", not_found_codes="InvalidPrefixListID.NotFound").detail(
        "ec2:GetManagedPrefixListEntries", PrefixListId="PrefixListId", gap=True
    ),
    yields=(EC2ManagedPrefixList,),
    aliases=("ec2:prefix_list",),
)
