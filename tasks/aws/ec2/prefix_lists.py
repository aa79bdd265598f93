"""Managed prefix lists visible to the account, its own and those shared with it, and their address ranges."""

from __future__ import annotations

from typing import Final

from tasks.aws.vocabulary.node import RegionalNode
from tasks.ip_range import are_wide
from tasks.provider import Per, ResourceType, Source, at, key, listing, prop

_CIDRS: Final = "GetManagedPrefixListEntries.Entries[].Cidr"


def seen_by(account: str, prefix_list: str) -> str:
    """Each account has a node of its own for a list: those of AWS have the same id in all accounts."""
    return f"{account}/{prefix_list}"


def list_id(prefix_list: Source) -> str:
    return seen_by(prefix_list.scope.tenant, prefix_list.item["PrefixListId"])


def wide(prefix_list: Source) -> bool | None:
    """By its entries together."""
    cidrs = at(_CIDRS, prefix_list.item)
    return None if cidrs is None else are_wide(cidrs)


class EC2ManagedPrefixList(RegionalNode, label="EC2ManagedPrefixList", tenant="AWSAccount", arn=None):
    id: str = key(list_id, "<account that can see it>/<prefix list>")
    prefix_list_id: str = prop("PrefixListId", index=True)
    arn: str | None = prop("PrefixListArn", index=True)
    name: str | None = prop("PrefixListName")
    owner_id: str | None = prop("OwnerId", "An account or AWS.")
    address_family: str | None = prop("AddressFamily", "IPv4 or IPv6.")
    state: str | None = prop("State")
    version: int | None = prop("Version", "None for lists of AWS.")
    max_entries: int | None = prop("MaxEntries")
    cidrs: list[str] | None = prop(_CIDRS, "None: the entries could not be read.")
    wide: bool | None = prop(wide, "Whether its entries allow anybody, as IpRange.wide. None: could not be read.")


PREFIX_LISTS: Final = ResourceType(
    "aws.ec2.prefix_lists",
    Per.REGION,
    fetch=listing("ec2:DescribeManagedPrefixLists", not_found_codes="InvalidPrefixListID.NotFound").detail(
        "ec2:GetManagedPrefixListEntries", PrefixListId="PrefixListId", gap=True
    ),
    yields=(EC2ManagedPrefixList,),
    aliases=("ec2:prefix_list",),
)
