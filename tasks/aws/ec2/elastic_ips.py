"""Elastic IP addresses, and the instances and interfaces they are associated with."""

from __future__ import annotations

from typing import Final

from tasks.aws.vocabulary.node import RegionalNode
from tasks.provider import Per, ResourceType, Source, id_link, key, listing, prop


def address_id(address: Source) -> str | None:
    """Addresses in Outposts and Wavelength Zones have no public IP, and their own kinds of address are not unique."""
    value: str | None = address.item.get("PublicIp") or address.item.get("AllocationId")
    return value


class ElasticIPAddress(
    RegionalNode, label="ElasticIPAddress", tenant="AWSAccount", arn="ec2:elastic-ip/{allocation_id}"
):
    id: str = key(address_id, "The public IP, or the allocation id of an address without one.")
    public_ip: str | None = prop("PublicIp", "None in Outposts and Wavelength Zones.", index=True)
    allocation_id: str | None = prop("AllocationId")
    association_id: str | None = prop("AssociationId", "None: not associated.")
    domain: str | None = prop("Domain", "vpc or standard.")
    instance_id: str | None = prop("InstanceId", "None, or '' in EC2-Classic: not associated with an instance.")
    network_interface_id: str | None = prop("NetworkInterfaceId")
    network_interface_owner_id: str | None = prop("NetworkInterfaceOwnerId", "An account or an AWS service.")
    private_ip_address: str | None = prop("PrivateIpAddress")
    public_ipv4_pool: str | None = prop("PublicIpv4Pool", "amazon, or a pool of the account.")
    network_border_group: str | None = prop("NetworkBorderGroup")
    customer_owned_ip: str | None = prop("CustomerOwnedIp")
    customer_owned_ipv4_pool: str | None = prop("CustomerOwnedIpv4Pool")
    carrier_ip: str | None = prop("CarrierIp")
    relationships = (
        id_link("ELASTIC_IP_ADDRESS", "EC2Instance", "InstanceId", incoming=True),
        id_link("ELASTIC_IP_ADDRESS", "NetworkInterface", "NetworkInterfaceId", incoming=True),
    )


ELASTIC_IPS: Final = ResourceType(
    "aws.ec2.elastic_ips",
    Per.REGION,
    fetch=listing("ec2:DescribeAddresses", items_path="Addresses"),
    yields=(ElasticIPAddress,),
    aliases=("elastic_ip_addresses", "ec2:elastic_ip_addresses"),
)
