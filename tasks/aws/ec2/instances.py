"""EC2 instances, their reservations (the requests that launched them) and their network interfaces."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from tasks.aws.ec2.key_pairs import key_pair_arn
from tasks.aws.vocabulary.arn import arn_at
from tasks.aws.vocabulary.node import RegionalNode
from tasks.provider import Per, ResourceType, Source, id_link, incoming, key, listing, outgoing, parent, prop


class EC2Reservation(RegionalNode, label="EC2Reservation", tenant="AWSAccount"):
    reservationid: str = key("ReservationId")
    id: str = prop("ReservationId", "Same as reservationid.")
    ownerid: str | None = prop("OwnerId")
    requesterid: str | None = prop("RequesterId", "None: launched by the owner.")


def launch_time_unix(instance: Source) -> float | None:
    launched = instance.item.get("LaunchTime")
    return launched.timestamp() if isinstance(launched, datetime) else None


instance_arn = arn_at("ec2:instance/", "InstanceId")


def first_ipv6(instance: Source) -> str | None:
    """The primary IPv6 address of the first interface, or else its first one."""
    for interface in instance.item.get("NetworkInterfaces", ()):
        if interface.get("Attachment", {}).get("DeviceIndex") == 0:
            given = [address for address in interface.get("Ipv6Addresses") or () if address.get("Ipv6Address")]
            primary_first = sorted(given, key=lambda address: not address.get("IsPrimaryIpv6"))
            return str(primary_first[0]["Ipv6Address"]) if primary_first else None
    return None


def imds_access_mode(instance: Source) -> str | None:
    """By the metadata options. With IMDSv1, a forged request (SSRF) is enough to get the credentials of the role."""
    options = instance.item.get("MetadataOptions", {})
    if options.get("HttpEndpoint") == "disabled":
        return "disabled"
    return {"required": "v2_only", "optional": "v1_or_v2"}.get(options.get("HttpTokens", ""))


def imds_v1_enabled(instance: Source) -> bool | None:
    mode = imds_access_mode(instance)
    return mode == "v1_or_v2" if mode else None


def imds_v2_required(instance: Source) -> bool | None:
    tokens = instance.item.get("MetadataOptions", {}).get("HttpTokens")
    return tokens == "required" if tokens else None


# Set by EKS on nodes of managed node groups, and by AWS tools on instances that join a cluster.
_EKS_TAGS: Final = ("eks:cluster-name", "aws:eks:cluster-name")


def eks_cluster_name(instance: Source) -> str | None:
    tags = {tag.get("Key"): tag.get("Value") for tag in instance.item.get("Tags") or ()}
    return next((tags[name] for name in _EKS_TAGS if tags.get(name)), None)


class EC2Instance(
    RegionalNode, label="EC2Instance", labels=("Instance",), tenant="AWSAccount", arn="ec2:instance/{id}"
):
    id: str = key("InstanceId")
    arn: str = prop(instance_arn, index=True)
    instanceid: str = prop("InstanceId", index=True)
    publicdnsname: str | None = prop("PublicDnsName", "'' if it has none.", index=True)
    privateipaddress: str | None = prop("PrivateIpAddress")
    publicipaddress: str | None = prop("PublicIpAddress")
    ipv6address: str | None = prop(first_ipv6)
    imageid: str | None = prop("ImageId")
    instancetype: str | None = prop("InstanceType")
    instancelifecycle: str | None = prop("InstanceLifecycle", "spot or scheduled. None: on demand.")
    iaminstanceprofile: str | None = prop("IamInstanceProfile.Arn")
    monitoringstate: str | None = prop("Monitoring.State")
    state: str | None = prop("State.Name")
    availabilityzone: str | None = prop("Placement.AvailabilityZone")
    tenancy: str | None = prop("Placement.Tenancy")
    hostresourcegrouparn: str | None = prop("Placement.HostResourceGroupArn")
    platform: str | None = prop("Platform", "None except for Windows.")
    architecture: str | None = prop("Architecture")
    ebsoptimized: bool | None = prop("EbsOptimized")
    bootmode: str | None = prop("BootMode", "None: the default of the image.")
    hibernationoptions: bool | None = prop("HibernationOptions.Configured", "Whether it can hibernate.")
    metadatahttpendpoint: str | None = prop("MetadataOptions.HttpEndpoint")
    metadatahttptokens: str | None = prop("MetadataOptions.HttpTokens", "required: IMDSv2 only.", index=True)
    metadatahttpputresponsehoplimit: int | None = prop(
        "MetadataOptions.HttpPutResponseHopLimit", "Maximum hops of IMDSv2 responses; 1: containers on it get none."
    )
    metadatahttpprotocolipv6: str | None = prop("MetadataOptions.HttpProtocolIpv6")
    metadatainstancetags: str | None = prop("MetadataOptions.InstanceMetadataTags")
    imdsaccessmode: str | None = prop(imds_access_mode, "v2_only, v1_or_v2 or disabled. None: not reported.")
    imdsv1enabled: bool | None = prop(
        imds_v1_enabled, "Whether a forged request can get the role's credentials. None: not reported."
    )
    imdsv2required: bool | None = prop(imds_v2_required, "Whether IMDSv2 is required. None: not reported.")
    eks_cluster_name: str | None = prop(eks_cluster_name, "The cluster, from the tags that EKS sets.")
    launchtime: str | None = prop("LaunchTime")
    launchtimeunix: float | None = prop(launch_time_unix, "Seconds since 1970-01-01 UTC.")
    relationships = (
        outgoing("MEMBER_OF_EC2_RESERVATION", "EC2Reservation", parent("ReservationId")),
        outgoing("PART_OF_SUBNET", "EC2Subnet", "SubnetId"),
        outgoing("MEMBER_OF_EC2_SECURITY_GROUP", "EC2SecurityGroup", "SecurityGroups[].GroupId"),
        # A deleted key pair still gives access to the instance.
        incoming("SSH_LOGIN_TO", "EC2KeyPair", key_pair_arn),
        id_link("INSTANCE_PROFILE", "AWSInstanceProfile", "IamInstanceProfile.Arn"),
    )


def public_ips(interface: Source) -> list[str]:
    """Each of its private addresses may have a public one of its own."""
    associations = (
        address.get("Association", {}) for address in (interface.item, *interface.item.get("PrivateIpAddresses", ()))
    )
    return sorted({found["PublicIp"] for found in associations if found.get("PublicIp")})


class NetworkInterface(RegionalNode, label="NetworkInterface", arn="ec2:network-interface/{id}"):
    id: str = key("NetworkInterfaceId")
    status: str | None = prop("Status")
    mac_address: str | None = prop("MacAddress")
    description: str | None = prop("Description")
    private_dns_name: str | None = prop("PrivateDnsName")
    private_ip_address: str | None = prop("PrivateIpAddress")
    private_ip_addresses: list[str] | None = prop("PrivateIpAddresses[].PrivateIpAddress", "All private addresses.")
    public_ip: str | None = prop("Association.PublicIp")
    public_ips: list[str] = prop(public_ips, "The public addresses of all private addresses.")
    ipv6_addresses: list[str] | None = prop("Ipv6Addresses[].Ipv6Address")
    vpc_id: str | None = prop("VpcId", index=True)
    subnetid: str | None = prop("SubnetId", index=True)
    subnet_id: str | None = prop("SubnetId")
    interface_type: str | None = prop("InterfaceType")
    source_dest_check: bool | None = prop("SourceDestCheck", "False: it may forward traffic for others, like a NAT.")
    device_index: int | None = prop("Attachment.DeviceIndex")
    attach_time: str | None = prop("Attachment.AttachTime")
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
    aliases=("ec2:instance", "ec2:network_interface"),
)
