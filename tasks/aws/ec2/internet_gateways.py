"""Internet gateways, and the VPCs they are attached to."""

from __future__ import annotations

from typing import Final

from tasks.aws.vocabulary.arn import arn_at
from tasks.aws.vocabulary.node import RegionalNode
from tasks.provider import Per, ResourceType, Source, key, listing, outgoing, prop


def owner(gateway: Source) -> str:
    return gateway.item.get("OwnerId") or gateway.scope.tenant


class AWSInternetGateway(RegionalNode, label="AWSInternetGateway", tenant="AWSAccount", arn="ec2:internet-gateway"):
    id: str = key("InternetGatewayId")
    arn: str = prop(arn_at("ec2:internet-gateway/", "InternetGatewayId", account=owner), index=True)
    ownerid: str | None = prop("OwnerId")
    relationships = (outgoing("ATTACHED_TO", "AWSVpc", "Attachments[].VpcId"),)


INTERNET_GATEWAYS: Final = ResourceType(
    "aws.ec2.internet_gateways",
    Per.REGION,
    fetch=listing("ec2:DescribeInternetGateways", owner_path="OwnerId"),
    yields=(AWSInternetGateway,),
    aliases=("ec2:internet_gateway",),
)
