"""Security groups, their rules, and the address ranges that rules name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from loaders.model import Source, id_link, incoming, key, outgoing, parent, prop, scope_region
from tasks.aws.ec2.prefix_lists import seen_by
from tasks.aws.vocabulary.node import AWSNode
from tasks.engine.listing import listing
from tasks.ip_range import IpRange
from tasks.resource import Per, ResourceType

# Of a peering, as DescribeVpcPeeringConnections has them: once it ended, a rule that names a group beyond it is stale.
_ENDED: Final = frozenset({"deleted", "expired", "failed", "rejected"})


def groups_named(rule: Mapping[str, Any], *, stale: bool) -> list[str]:
    """The groups that a rule names: those that it lets in, or those beyond a peering that has ended."""
    pairs = (pair for pair in rule.get("UserIdGroupPairs") or () if pair.get("GroupId"))
    return sorted({pair["GroupId"] for pair in pairs if (pair.get("PeeringStatus") in _ENDED) is stale})


def let_in(group: Source) -> list[str]:
    """The groups whose members the group's rules let in."""
    rules = group.item.get("IpPermissions") or ()
    return sorted({named for rule in rules for named in groups_named(rule, stale=False)})


class EC2SecurityGroup(AWSNode, label="EC2SecurityGroup", tenant="AWSAccount", arn="ec2:security-group/{id}"):
    id: str = key("GroupId")
    groupid: str = prop("GroupId", index=True)
    name: str | None = prop("GroupName")
    description: str | None = prop("Description")
    region: str = prop(scope_region)
    relationships = (
        id_link("MEMBER_OF_EC2_SECURITY_GROUP", "AWSVpc", "VpcId", incoming=True),
        # A stub where it is another account's: that its members are let in matters, whoever reads it.
        outgoing("ALLOWS_TRAFFIC_FROM", "EC2SecurityGroup", let_in),
    )


def ranges_of(rule: Mapping[str, Any]) -> list[str]:
    """The ranges of both families that a rule names."""
    ranges = (*(rule.get("IpRanges") or ()), *(rule.get("Ipv6Ranges") or ()))
    return [cidr for named in ranges if (cidr := named.get("CidrIp") or named.get("CidrIpv6"))]


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
    """Of this account, or of one that its VPC is peered with."""
    return groups_named(rule.item, stale=False)


def stale_groups(rule: Source) -> list[str]:
    return groups_named(rule.item, stale=True)


def prefix_lists(rule: Source) -> list[str]:
    return sorted({named["PrefixListId"] for named in rule.item.get("PrefixListIds", ()) if named.get("PrefixListId")})


def prefix_list_nodes(rule: Source) -> list[str]:
    return [seen_by(rule.scope.tenant, prefix_list) for prefix_list in prefix_lists(rule)]


def rule_id(direction: str) -> Callable[[Source], str]:
    """The identity of a rule, to which AWS's response gives none."""

    def identity(rule: Source) -> str:
        first, last = _ports(rule)
        return f"{parent('GroupId')(rule)}/{direction}/{first}-{last}/{rule.item.get('IpProtocol')}"

    return identity


def rule_text(direction: str) -> Callable[[Source], str]:
    """The id of 2020, which runs the ports together: 1 to 23 and 12 to 3 are one text, and so no identity."""

    def text(rule: Source) -> str:
        first, last = _ports(rule)
        return f"{parent('GroupId')(rule)}/{direction}/{first}{last}{rule.item.get('IpProtocol')}"

    return text


class IpPermissionInbound(AWSNode, label="IpPermissionInbound", labels=("IpRule", "AWSIpRule")):
    id: str = key(rule_id("IpPermissions"))
    ruleid: str = prop(rule_text("IpPermissions"), index=True)
    groupid: str = prop(parent("GroupId"), "Of the group whose rule it is.", index=True)
    fromport: int | None = prop("FromPort", "None: every port, as with protocol -1.")
    toport: int | None = prop("ToPort")
    protocol: str = prop(protocol, "tcp, udp, icmp, a number, or -1: every protocol.")
    referenced_group_ids: list[str] | None = prop(groups, "Groups whose members it lets in.")
    stale_group_ids: list[str] | None = prop(stale_groups, "Groups beyond a peering that has ended: nobody gets in.")
    prefix_list_ids: list[str] | None = prop(prefix_lists, "Ids of the lists of addresses that it names.")
    relationships = (
        outgoing("MEMBER_OF_EC2_SECURITY_GROUP", "EC2SecurityGroup", parent("GroupId")),
        incoming("MEMBER_OF_IP_RULE", "IpRange", cidrs),
        # A stub where the list could not be read: then nobody knows whom the rule lets in.
        outgoing("REFERENCES_PREFIX_LIST", "EC2ManagedPrefixList", prefix_list_nodes),
    )


class IpPermissionEgress(AWSNode, label="IpPermissionEgress", labels=("IpRule", "AWSIpRule")):
    id: str = key(rule_id("IpPermissionsEgress"))
    ruleid: str = prop(rule_text("IpPermissionsEgress"), index=True)
    groupid: str = prop(parent("GroupId"), "Of the group whose rule it is.", index=True)
    fromport: int | None = prop("FromPort", "None: every port, as with protocol -1.")
    toport: int | None = prop("ToPort")
    protocol: str = prop(protocol, "tcp, udp, icmp, a number, or -1: every protocol.")
    referenced_group_ids: list[str] | None = prop(groups, "Groups whose members it lets be reached.")
    stale_group_ids: list[str] | None = prop(stale_groups, "Groups beyond a peering that has ended: none is reached.")
    prefix_list_ids: list[str] | None = prop(prefix_lists, "Ids of the lists of addresses that it names.")
    relationships = (
        outgoing("MEMBER_OF_EC2_SECURITY_GROUP", "EC2SecurityGroup", parent("GroupId")),
        incoming("MEMBER_OF_IP_RULE", "IpRange", cidrs),
        # A stub where the list could not be read: then nobody knows whom the rule lets in.
        outgoing("REFERENCES_PREFIX_LIST", "EC2ManagedPrefixList", prefix_list_nodes),
    )


class AWSIpRange(IpRange, label="AWSIpRange", shared=True):
    """Of a rule in AWS: the same range in another provider's rule is the same node."""


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
