"""VPCs and their CIDR blocks."""

from __future__ import annotations

from typing import Final

from tasks.aws.vocabulary.node import AWSNode, RegionalNode
from tasks.provider import Per, ResourceType, Source, incoming, key, listing, parent, prop


class AWSVpc(RegionalNode, label="AWSVpc", tenant="AWSAccount", arn="ec2:vpc/{id}"):
    id: str = key("VpcId")
    vpcid: str = prop("VpcId")
    primary_cidr_block: str | None = prop("CidrBlock")
    instance_tenancy: str | None = prop("InstanceTenancy")
    state: str | None = prop("State")
    is_default: bool | None = prop("IsDefault")
    dhcp_options_id: str | None = prop("DhcpOptionsId")


def ipv4_block_id(block: Source) -> str:
    return f"{parent('VpcId')(block)}|{block.item['CidrBlock']}"


def ipv6_block_id(block: Source) -> str:
    return f"{parent('VpcId')(block)}|{block.item['Ipv6CidrBlock']}"


class AWSIpv4CidrBlock(AWSNode, label="AWSIpv4CidrBlock", labels=("AWSCidrBlock",)):
    id: str = key(ipv4_block_id)
    association_id: str | None = prop("AssociationId")
    cidr_block: str = prop("CidrBlock")
    block_state: str | None = prop("CidrBlockState.State")
    block_state_message: str | None = prop("CidrBlockState.StatusMessage", "None unless the association failed.")
    relationships = (incoming("BLOCK_ASSOCIATION", "AWSVpc", parent("VpcId")),)


class AWSIpv6CidrBlock(AWSNode, label="AWSIpv6CidrBlock", labels=("AWSCidrBlock",)):
    id: str = key(ipv6_block_id)
    association_id: str | None = prop("AssociationId")
    cidr_block: str = prop("Ipv6CidrBlock")
    block_state: str | None = prop("Ipv6CidrBlockState.State")
    block_state_message: str | None = prop("Ipv6CidrBlockState.StatusMessage", "None unless the association failed.")
    relationships = (incoming("BLOCK_ASSOCIATION", "AWSVpc", parent("VpcId")),)


VPCS: Final = ResourceType(
    "aws.ec2.vpcs",
    Per.REGION,
    fetch=listing("ec2:DescribeVpcs", owner_path="OwnerId"),
    yields=(
        AWSVpc,
        AWSIpv4CidrBlock.each("CidrBlockAssociationSet[]"),
        AWSIpv6CidrBlock.each("Ipv6CidrBlockAssociationSet[]"),
    ),
    aliases=("ec2:vpc",),
)
