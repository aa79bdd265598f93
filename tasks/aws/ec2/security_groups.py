"""Security groups, their rules, and the address ranges in the rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from tasks.aws.ec2.prefix_lists import seen_by
from tasks.aws.vocabulary.node import AWSNode, RegionalNode
from tasks.ip_range import IpRange
from tasks.provider import Per, ResourceType, Source, id_link, incoming, key, listing, outgoing, parent, prop

# States of a peering, as in DescribeVpcPeeringConnections: once it has ended, rules for groups beyond it are stale.
_ENDED: Final = frozenset({"deleted", "expired", "failed", "rejected"})


def groups_in(rule: Mapping[str, Any], *, stale: bool) -> list[str]:
    """The groups in a rule: either those that it allows, or the stale ones beyond a peering that has ended."""
    pairs = (pair for pair in rule.get("UserIdGroupPairs") or () if pair.get("GroupId"))
    return sorted({pair["GroupId"] for pair in pairs if (pair.get("PeeringStatus") in _ENDED) is stale})


def allowed_groups(group: Source) -> list[str]:
    """The groups whose members the group's inbound rules allow."""
    rules = group.item.get("IpPermissions") or ()
    return sorted({allowed for rule in rules for allowed in groups_in(rule, stale=False)})


class EC2SecurityGroup(RegionalNode, label="EC2SecurityGroup", tenant="AWSAccount", arn="ec2:security-group/{id}"):
    id: str = key("GroupId")
    groupid: str = prop("GroupId", index=True)
    name: str | None = prop("GroupName")
    description: str | None = prop("Description")
    relationships = (
        id_link("MEMBER_OF_EC2_SECURITY_GROUP", "AWSVpc", "VpcId", incoming=True),
        # A stub if it belongs to another account: that its members are allowed matters, even if it is never synced.
        outgoing("ALLOWS_TRAFFIC_FROM", "EC2SecurityGroup", allowed_groups),
    )


def ranges_of(rule: Mapping[str, Any]) -> list[str]:
    """The address ranges in a rule, IPv4 and IPv6."""
    ranges = (*(rule.get("IpRanges") or ()), *(rule.get("Ipv6Ranges") or ()))
    return [cidr for entry in ranges if (cidr := entry.get("CidrIp") or entry.get("CidrIpv6"))]


def cidrs(rule: Source) -> list[str]:
    return ranges_of(rule.item)


def all_cidrs(group: Source) -> list[dict[str, str]]:
    rules = (*(group.item.get("IpPermissions") or ()), *(group.item.get("IpPermissionsEgress") or ()))
    return [{"cidr": cidr} for cidr in sorted({cidr for rule in rules for cidr in ranges_of(rule)})]


def protocol(rule: Source) -> str:
    return rule.item.get("IpProtocol") or "all"


def _ports(rule: Source) -> tuple[int | None, int | None]:
    return rule.item.get("FromPort"), rule.item.get("ToPort")


def groups(rule: Source) -> list[str]:
    """Groups of this account, or of an account with a peered VPC."""
    return groups_in(rule.item, stale=False)


def stale_groups(rule: Source) -> list[str]:
    return groups_in(rule.item, stale=True)


def prefix_lists(rule: Source) -> list[str]:
    entries = rule.item.get("PrefixListIds", ())
    return sorted({entry["PrefixListId"] for entry in entries if entry.get("PrefixListId")})


def prefix_list_nodes(rule: Source) -> list[str]:
    return [seen_by(rule.scope.tenant, prefix_list) for prefix_list in prefix_lists(rule)]


def rule_id(direction: str) -> Callable[[Source], str]:
    """The identity of a rule: the response has none."""

    def identity(rule: Source) -> str:
        first, last = _ports(rule)
        return f"{parent('GroupId')(rule)}/{direction}/{first}-{last}/{rule.item.get('IpProtocol')}"

    return identity


def rule_text(direction: str) -> Callable[[Source], str]:
    """The id of 2020, with both ports in one text. Not unique: ports 1 to 23 and 12 to 3 give the same."""

    def text(rule: Source) -> str:
        first, last = _ports(rule)
        return f"{parent('GroupId')(rule)}/{direction}/{first}{last}{rule.item.get('IpProtocol')}"

    return text


class IpPermission(AWSNode):
    """What rules of both directions have in common."""

    groupid: str = prop(parent("GroupId"), "The group that the rule belongs to.", index=True)
    fromport: int | None = prop("FromPort", "None: every port, as with protocol -1.")
    toport: int | None = prop("ToPort")
    protocol: str = prop(protocol, "tcp, udp, icmp, a number, or -1: every protocol.")
    referenced_group_ids: list[str] | None = prop(groups, "Groups whose members the rule allows traffic from, or to.")
    stale_group_ids: list[str] | None = prop(stale_groups, "Groups beyond a peering that has ended. No effect.")
    prefix_list_ids: list[str] | None = prop(prefix_lists, "Ids of the prefix lists that the rule refers to.")
    relationships = (
        outgoing("MEMBER_OF_EC2_SECURITY_GROUP", "EC2SecurityGroup", parent("GroupId")),
        incoming("MEMBER_OF_IP_RULE", "IpRange", cidrs),
        # A stub if the list could not be read: then it is not known whom the rule allows.
        outgoing("REFERENCES_PREFIX_LIST", "EC2ManagedPrefixList", prefix_list_nodes),
    )


class IpPermissionInbound(IpPermission, label="IpPermissionInbound", labels=("IpRule", "AWSIpRule")):
    id: str = key(rule_id("IpPermissions"))
    ruleid: str = prop(rule_text("IpPermissions"), index=True)


class IpPermissionEgress(IpPermission, label="IpPermissionEgress", labels=("IpRule", "AWSIpRule")):
    id: str = key(rule_id("IpPermissionsEgress"))
    ruleid: str = prop(rule_text("IpPermissionsEgress"), index=True)


class AWSIpRange(IpRange, label="AWSIpRange", shared=True):
    """A range in a rule of AWS. The same range in a rule of another provider is the same node."""


SECURITY_GROUPS: Final = ResourceType(
    "aws.ec2.security_groups",
    Per.REGION,
    fetch=listing("ec2:DescribeSecurityGroups", owner_path="OwnerId"),
    yields=(
        EC2SecurityGroup,
        IpPermissionInbound.each("IpPermissions[]"),
        IpPermissionEgress.each("IpPermissionsEgress[]"),
        AWSIpRange.each(all_cidrs),
    ),
    aliases=("ec2:security_group",),
)
