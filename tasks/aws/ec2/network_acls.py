"""Network ACLs, which filter what enters and leaves subnets, and their rules."""

from __future__ import annotations

from typing import Final

from tasks.aws.vocabulary.arn import arn_at
from tasks.aws.vocabulary.node import RegionalNode
from tasks.provider import Per, ResourceType, Source, id_link, key, listing, outgoing, parent, prop

acl_arn = arn_at("ec2:network-acl/", "NetworkAclId")
acl_arn_of_rule = arn_at("ec2:network-acl/", parent("NetworkAclId"))


class EC2NetworkAcl(RegionalNode, label="EC2NetworkAcl", tenant="AWSAccount", arn="ec2:network-acl"):
    arn: str = key(acl_arn)
    id: str = prop(acl_arn, "Same as arn.", index=True)
    network_acl_id: str = prop("NetworkAclId", index=True)
    is_default: bool | None = prop("IsDefault", "Whether it is that of the VPC's subnets without one of their own.")
    vpc_id: str | None = prop("VpcId", index=True)
    relationships = (
        id_link("MEMBER_OF_AWS_VPC", "AWSVpc", "VpcId"),
        id_link("PART_OF_SUBNET", "EC2Subnet", "Associations[].SubnetId"),
    )


def rule_id(rule: Source) -> str:
    """Numbers of rules are unique for a direction of their ACL."""
    direction = "egress" if rule.item["Egress"] else "inbound"
    return f"{parent('NetworkAclId')(rule)}/{direction}/{rule.item['RuleNumber']}"


class EC2NetworkAclRule(RegionalNode, label="EC2NetworkAclRule", tenant="AWSAccount"):
    """The rule with the lowest number that matches decides."""

    id: str = key(rule_id)
    network_acl_id: str = prop(parent("NetworkAclId"), index=True)
    rulenumber: int = prop("RuleNumber", "32767: the last rule, which denies everything else.")
    egress: bool = prop("Egress")
    ruleaction: str | None = prop("RuleAction", "allow or deny.")
    protocol: str | None = prop("Protocol", "The protocol's number; -1: all.")
    cidrblock: str | None = prop("CidrBlock", "None for IPv6.")
    ipv6cidrblock: str | None = prop("Ipv6CidrBlock", "None for IPv4.")
    fromport: int | None = prop("PortRange.From", "None: all ports, or a protocol without ports.")
    toport: int | None = prop("PortRange.To", "None: all ports, or a protocol without ports.")
    relationships = (outgoing("MEMBER_OF_NACL", "EC2NetworkAcl", acl_arn_of_rule),)


NETWORK_ACLS: Final = ResourceType(
    "aws.ec2.network_acls",
    Per.REGION,
    fetch=listing("ec2:DescribeNetworkAcls", owner_path="OwnerId"),
    yields=(EC2NetworkAcl, EC2NetworkAclRule.each("Entries[]")),
    aliases=("ec2:network_acls",),
)
