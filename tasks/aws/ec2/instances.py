"""EC2 instances, the reservations that started them, and their network interfaces."""

from __future__ import annotations

from typing import Final

from loaders.model import Source, incoming, key, outgoing, parent, prop, scope_region
from tasks.aws.api import listing
from tasks.aws.ec2.key_pairs import key_pair_arn
from tasks.aws.node import AWSNode
from tasks.resource import Per, ResourceType


class EC2Reservation(AWSNode, label="EC2Reservation", tenant="AWSAccount"):
    reservationid: str = key("ReservationId")
    ownerid: str | None = prop("OwnerId")
    requesterid: str | None = prop("RequesterId", "None: the owner asked for it.")
    region: str = prop(scope_region)


def launch_time_unix(instance: Source) -> float | None:
    launched = instance.item.get("LaunchTime")
    return launched.timestamp() if launched else None


class EC2Instance(AWSNode, label="EC2Instance", labels=("Instance",), tenant="AWSAccount", arn="ec2:instance/{id}"):
    id: str = key("InstanceId")
    instanceid: str = prop("InstanceId", index=True)
    publicdnsname: str | None = prop("PublicDnsName", "'' where it has none.", index=True)
    privateipaddress: str | None = prop("PrivateIpAddress")
    publicipaddress: str | None = prop("PublicIpAddress")
    imageid: str | None = prop("ImageId")
    instancetype: str | None = prop("InstanceType")
    iaminstanceprofile: str | None = prop("IamInstanceProfile.Arn")
    monitoringstate: str | None = prop("Monitoring.State")
    state: str | None = prop("State.Name")
    launchtime: str | None = prop("LaunchTime")
    launchtimeunix: float | None = prop(launch_time_unix, "Seconds since 1970, UTC.")
    region: str = prop(scope_region)
    relationships = (
        outgoing("MEMBER_OF_EC2_RESERVATION", "EC2Reservation", parent("ReservationId")),
        outgoing("PART_OF_SUBNET", "EC2Subnet", "SubnetId"),
        outgoing("MEMBER_OF_EC2_SECURITY_GROUP", "EC2SecurityGroup", "SecurityGroups[].GroupId"),
        # A key pair that was deleted still opens the instance.
        incoming("SSH_LOGIN_TO", "EC2KeyPair", key_pair_arn),
    )


def public_ips(interface: Source) -> list[str]:
    """Each of its private addresses may have a public one of its own."""
    associations = (
        address.get("Association", {}) for address in (interface.item, *interface.item.get("PrivateIpAddresses", ()))
    )
    return sorted({found["PublicIp"] for found in associations if found.get("PublicIp")})


class NetworkInterface(AWSNode, label="NetworkInterface", arn="ec2:network-interface/{id}"):
    id: str = key("NetworkInterfaceId")
    status: str | None = prop("Status")
    mac_address: str | None = prop("MacAddress")
    description: str | None = prop("Description")
    private_dns_name: str | None = prop("PrivateDnsName")
    private_ip_address: str | None = prop("PrivateIpAddress")
    private_ip_addresses: list[str] | None = prop("PrivateIpAddresses[].PrivateIpAddress", "All of them.")
    public_ip: str | None = prop("Association.PublicIp")
    public_ips: list[str] = prop(public_ips, "Of all its private addresses.")
    ipv6_addresses: list[str] | None = prop("Ipv6Addresses[].Ipv6Address")
    vpc_id: str | None = prop("VpcId", index=True)
    relationships = (
        incoming("NETWORK_INTERFACE", "EC2Instance", parent("InstanceId")),
        outgoing("PART_OF_SUBNET", "EC2Subnet", "SubnetId"),
        outgoing("MEMBER_OF_EC2_SECURITY_GROUP", "EC2SecurityGroup", "Groups[].GroupId"),
    )


INSTANCES: Final = ResourceType(
    "aws.ec2.instances",
    Per.REGION,
    fetch=listing("ec2:DescribeInstances"),
    yields=(
        EC2Reservation,
        EC2Instance.each("Instances[]"),
        NetworkInterface.each("Instances[].NetworkInterfaces[]"),
    ),
    also=("ec2:instance",),
)
