"""Internet gateways, and the VPCs that they open."""

from __future__ import annotations

from typing import Final

from loaders.model import Source, key, outgoing, prop, scope_region
from tasks.aws.vocabulary.node import AWSNode
from tasks.engine.listing import listing
from tasks.resource import Per, ResourceType


def gateway_arn(gateway: Source) -> str:
    item = gateway.item
    owner = item.get("OwnerId") or gateway.scope.tenant
    return f"arn:{gateway.partition}:ec2:{gateway.scope.region}:{owner}:internet-gateway/{item['InternetGatewayId']}"


class AWSInternetGateway(AWSNode, label="AWSInternetGateway", tenant="AWSAccount", arn="ec2:internet-gateway"):
    id: str = key("InternetGatewayId")
    arn: str = prop(gateway_arn, index=True)
    ownerid: str | None = prop("OwnerId")
    region: str = prop(scope_region)
    relationships = (outgoing("ATTACHED_TO", "AWSVpc", "Attachments[].VpcId"),)


INTERNET_GATEWAYS: Final = ResourceType(
    "aws.ec2.internet_gateways",
    Per.REGION,
    fetch=listing("ec2:DescribeInternetGateways", owner_path="OwnerId"),
    yields=(AWSInternetGateway,),
    aliases=("ec2:internet_gateway",),
)
