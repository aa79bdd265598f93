"""Peering connections between VPCs, of one account or of two.

Both sides list a connection in the same way: they share its node, and each side stores a record of its own. So the
node exists if either side is synced, and is removed when neither lists the connection any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from tasks.aws.vocabulary.node import AWSNode
from tasks.provider import Node, Per, ResourceType, Source, key, link_through, listing, outgoing, prop

RECORD: Final = "SyncPeering"


class AWSPeeringConnection(AWSNode, label="AWSPeeringConnection", shared=True, arn="ec2:vpc-peering-connection/{id}"):
    id: str = key("VpcPeeringConnectionId")
    status_code: str | None = prop("Status.Code", "active, pending-acceptance, rejected, deleted, ...")
    status_message: str | None = prop("Status.Message")
    expiration_time: str | None = prop("ExpirationTime", "When the request expires if it is not accepted.")
    requester_account: str | None = prop("RequesterVpcInfo.OwnerId")
    requester_region: str | None = prop("RequesterVpcInfo.Region")
    accepter_account: str | None = prop("AccepterVpcInfo.OwnerId")
    accepter_region: str | None = prop("AccepterVpcInfo.Region")
    allow_dns_resolution_from_remote_vpc: bool | None = prop(
        "AccepterVpcInfo.PeeringOptions.AllowDnsResolutionFromRemoteVpc", "The accepter's setting."
    )
    relationships = (
        link_through(RECORD, "_REQUESTER_VPC", "REQUESTER_VPC", "AWSVpc", on={"id": "connection"}),
        link_through(RECORD, "_ACCEPTER_VPC", "ACCEPTER_VPC", "AWSVpc", on={"id": "connection"}),
        link_through(RECORD, "_REQUESTER_CIDR", "REQUESTER_CIDR", "AWSIpv4CidrBlock", on={"id": "connection"}),
        link_through(RECORD, "_ACCEPTER_CIDR", "ACCEPTER_CIDR", "AWSIpv4CidrBlock", on={"id": "connection"}),
        link_through(RECORD, "_REQUESTER_CIDR", "REQUESTER_CIDR", "AWSIpv6CidrBlock", on={"id": "connection"}),
        link_through(RECORD, "_ACCEPTER_CIDR", "ACCEPTER_CIDR", "AWSIpv6CidrBlock", on={"id": "connection"}),
    )


def record_id(connection: Source) -> str:
    return f"{connection.item['VpcPeeringConnectionId']}|{connection.scope.tenant}|{connection.scope.region}"


def blocks(side: str) -> Callable[[Source], list[str]]:
    """Ids of one side's IPv4 blocks, as in the rows of its VPC."""

    def ids(connection: Source) -> list[str]:
        vpc: Mapping[str, Any] = connection.item.get(side) or {}
        cidrs = [vpc.get("CidrBlock"), *(block.get("CidrBlock") for block in vpc.get("CidrBlockSet") or ())]
        return _of_vpc(vpc, cidrs)

    return ids


def ipv6_blocks(side: str) -> Callable[[Source], list[str]]:
    def ids(connection: Source) -> list[str]:
        vpc: Mapping[str, Any] = connection.item.get(side) or {}
        return _of_vpc(vpc, [block.get("Ipv6CidrBlock") for block in vpc.get("Ipv6CidrBlockSet") or ()])

    return ids


def _of_vpc(vpc: Mapping[str, Any], cidrs: Iterable[str | None]) -> list[str]:
    """[] where AWS names no VPC, as for one that was deleted."""
    name = vpc.get("VpcId")
    return [f"{name}|{cidr}" for cidr in dict.fromkeys(cidrs) if cidr] if name else []


class SyncPeering(Node, label=RECORD):
    """One side's record of a connection. Internal, like all labels that begin with Sync."""

    id: str = key(record_id)
    connection: str = prop("VpcPeeringConnectionId", index=True)
    relationships = (
        outgoing("_PEERING", "AWSPeeringConnection", "VpcPeeringConnectionId"),
        outgoing("_REQUESTER", "AWSAccount", "RequesterVpcInfo.OwnerId"),
        outgoing("_ACCEPTER", "AWSAccount", "AccepterVpcInfo.OwnerId"),
        outgoing("_REQUESTER_VPC", "AWSVpc", "RequesterVpcInfo.VpcId"),
        outgoing("_ACCEPTER_VPC", "AWSVpc", "AccepterVpcInfo.VpcId"),
        outgoing("_REQUESTER_CIDR", "AWSIpv4CidrBlock", blocks("RequesterVpcInfo")),
        outgoing("_ACCEPTER_CIDR", "AWSIpv4CidrBlock", blocks("AccepterVpcInfo")),
        outgoing("_REQUESTER_CIDR", "AWSIpv6CidrBlock", ipv6_blocks("RequesterVpcInfo")),
        outgoing("_ACCEPTER_CIDR", "AWSIpv6CidrBlock", ipv6_blocks("AccepterVpcInfo")),
    )


PEERINGS: Final = ResourceType(
    "aws.ec2.vpc_peerings",
    Per.REGION,
    fetch=listing("ec2:DescribeVpcPeeringConnections"),
    yields=(AWSPeeringConnection, SyncPeering),
    aliases=("ec2:vpc_peering",),
)
