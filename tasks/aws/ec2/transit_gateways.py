"""Transit gateways, the accounts they are shared with, and their attachments.

A gateway's node belongs to the account that owns it. Accounts that it is shared with list it as well, and only they
know of the sharing: it is stored as a record of theirs. An attachment belongs to the account of the attached resource.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tasks.aws.vocabulary.arn import arn_at
from tasks.aws.vocabulary.node import AWSNode, RegionalNode
from tasks.provider import (
    Node,
    Per,
    ResourceType,
    Source,
    incoming,
    key,
    link_through,
    listing,
    outgoing,
    prop,
    scope_region,
    scope_tenant,
)


def owned(gateway: Source) -> list[Mapping[str, Any]]:
    return [gateway.item] if gateway.item.get("OwnerId") in (None, gateway.scope.tenant) else []


def shared_with_us(gateway: Source) -> list[Mapping[str, Any]]:
    return [] if owned(gateway) else [gateway.item]


class AWSTransitGateway(RegionalNode, label="AWSTransitGateway", tenant="AWSAccount", arn="ec2:transit-gateway"):
    id: str = key("TransitGatewayArn")
    arn: str = prop("TransitGatewayArn", index=True)
    tgw_id: str | None = prop("TransitGatewayId", index=True)
    ownerid: str | None = prop("OwnerId")
    state: str | None = prop("State")
    description: str | None = prop("Description")
    relationships = (
        link_through("SyncSharedGateway", "_SHARED_WITH", "SHARED_WITH", "AWSAccount", on={"id": "gateway"}),
    )


def share_id(gateway: Source) -> str:
    return f"{gateway.item['TransitGatewayArn']}|{gateway.scope.tenant}"


class SyncSharedGateway(Node, label="SyncSharedGateway"):
    """A gateway that another account shares with this one. Internal, like all labels that begin with Sync."""

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
    yields=(AWSTransitGateway.each(owned), SyncSharedGateway.each(shared_with_us)),
    aliases=("ec2:tgw",),
)


# Attachments name their gateway by id and owner. None while there is no gateway yet.
gateway_arn = arn_at("ec2:transit-gateway/", "TransitGatewayId", account="TransitGatewayOwnerId")


def vpc_of(attachment: Source) -> str | None:
    """The attached resource, if it is a VPC."""
    resource: str | None = attachment.item.get("ResourceId")
    return resource if attachment.item.get("ResourceType") == "vpc" else None


def subnets(attachment: Source) -> list[str]:
    """The subnets it has network interfaces in. Reported for VPCs only, and only to the owner of the VPC."""
    of_vpc = attachment.item["DescribeTransitGatewayVpcAttachments"]
    ids: list[str] = of_vpc.get(attachment.item["TransitGatewayAttachmentId"], {}).get("SubnetIds", [])
    return ids


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
