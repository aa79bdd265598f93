"""Transit gateways, whom they are shared with, and what is attached to them.

A gateway belongs to its owner, and so does its node; other accounts list it as well. What only they know, that it is
shared with them, is kept as a record of theirs. An attachment belongs to the account of what it attaches.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from loaders.model import Node, Source, incoming, key, link_through, outgoing, prop, scope_region, scope_tenant
from tasks.aws.vocabulary.node import AWSNode
from tasks.engine.listing import listing
from tasks.resource import Per, ResourceType


def own(gateway: Source) -> list[Mapping[str, Any]]:
    return [gateway.item] if gateway.item.get("OwnerId") in (None, gateway.scope.tenant) else []


def of_others(gateway: Source) -> list[Mapping[str, Any]]:
    return [] if own(gateway) else [gateway.item]


class AWSTransitGateway(AWSNode, label="AWSTransitGateway", tenant="AWSAccount", arn="ec2:transit-gateway"):
    id: str = key("TransitGatewayArn")
    arn: str = prop("TransitGatewayArn", index=True)
    tgw_id: str | None = prop("TransitGatewayId", index=True)
    ownerid: str | None = prop("OwnerId")
    state: str | None = prop("State")
    description: str | None = prop("Description")
    region: str = prop(scope_region)
    relationships = (
        link_through("SyncSharedGateway", "_SHARED_WITH", "SHARED_WITH", "AWSAccount", on={"id": "gateway"}),
    )


def share_id(gateway: Source) -> str:
    return f"{gateway.item['TransitGatewayArn']}|{gateway.scope.tenant}"


class SyncSharedGateway(Node, label="SyncSharedGateway"):
    """A gateway that another account shares with this one. Chartfleet's own, like all labels that begin with Sync."""

    id: str = key(share_id)
    gateway: str = prop("TransitGatewayArn", index=True)
    relationships = (
        outgoing("_SHARED_WITH", "AWSAccount", scope_tenant),
        outgoing("_SHARED", "AWSTransitGateway", "TransitGatewayArn"),
    )


GATEWAYS: Final = ResourceType(
    "aws.ec2.transit_gateways",
    Per.REGION,
    fetch=listing("ec2:DescribeTransitGateways"),
    yields=(AWSTransitGateway.each(own), SyncSharedGateway.each(of_others)),
    aliases=("ec2:tgw",),
)


def gateway_arn(attachment: Source) -> str | None:
    """Of the gateway, from its id and its owner: attachments don't say it. None while there is no gateway yet."""
    item = attachment.item
    gateway, owner = item.get("TransitGatewayId"), item.get("TransitGatewayOwnerId")
    place = f"arn:{attachment.partition}:ec2:{attachment.scope.region}"
    return f"{place}:{owner}:transit-gateway/{gateway}" if gateway and owner else None


def vpc_of(attachment: Source) -> str | None:
    """What it attaches, if that is a VPC."""
    found: str | None = attachment.item.get("ResourceId")
    return found if attachment.item.get("ResourceType") == "vpc" else None


def subnets(attachment: Source) -> list[str]:
    """In which it has network interfaces. Only of VPCs, and only the owner of the VPC is told."""
    of_vpc = attachment.item["DescribeTransitGatewayVpcAttachments"]
    found: list[str] = of_vpc.get(attachment.item["TransitGatewayAttachmentId"], {}).get("SubnetIds", [])
    return found


class AWSTransitGatewayAttachment(
    AWSNode,
    label="AWSTransitGatewayAttachment",
    tenant="AWSAccount",
    arn="ec2:transit-gateway-attachment/{id}",
):
    id: str = key("TransitGatewayAttachmentId")
    resource_type: str | None = prop("ResourceType", "vpc, vpn, direct-connect-gateway, connect, peering, ...")
    resource_id: str | None = prop("ResourceId")
    state: str | None = prop("State")
    region: str = prop(scope_region)
    relationships = (
        outgoing("ATTACHED_TO", "AWSTransitGateway", gateway_arn),
        incoming("RESOURCE", "AWSVpc", vpc_of),
        outgoing("PART_OF_SUBNET", "EC2Subnet", subnets),
    )


ATTACHMENTS: Final = ResourceType(
    "aws.ec2.transit_gateway_attachments",
    Per.REGION,
    fetch=listing("ec2:DescribeTransitGatewayAttachments", owner_path="ResourceOwnerId").lookup(
        "ec2:DescribeTransitGatewayVpcAttachments", key="TransitGatewayAttachmentId"
    ),
    yields=(AWSTransitGatewayAttachment,),
    aliases=("ec2:tgw",),
)
