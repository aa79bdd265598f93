"""Subnets."""

from __future__ import annotations

from typing import Final

from tasks.aws.vocabulary.node import RegionalNode
from tasks.provider import Per, ResourceType, id_link, key, listing, prop


class EC2Subnet(RegionalNode, label="EC2Subnet", tenant="AWSAccount", arn="ec2:subnet/{subnetid}"):
    subnetid: str = key("SubnetId")
    id: str = prop("SubnetId", index=True)
    subnet_arn: str | None = prop("SubnetArn")
    vpc_id: str | None = prop("VpcId")
    cidr_block: str | None = prop("CidrBlock")
    availability_zone: str | None = prop("AvailabilityZone")
    availability_zone_id: str | None = prop("AvailabilityZoneId")
    available_ip_address_count: int | None = prop("AvailableIpAddressCount")
    default_for_az: bool | None = prop("DefaultForAz")
    map_public_ip_on_launch: bool | None = prop("MapPublicIpOnLaunch")
    assignipv6addressoncreation: bool | None = prop("AssignIpv6AddressOnCreation")
    state: str | None = prop("State")
    relationships = (id_link("MEMBER_OF_AWS_VPC", "AWSVpc", "VpcId"),)


SUBNETS: Final = ResourceType(
    "aws.ec2.subnets",
    Per.REGION,
    fetch=listing("ec2:DescribeSubnets", owner_path="OwnerId"),
    yields=(EC2Subnet,),
    aliases=("ec2:subnet",),
)
