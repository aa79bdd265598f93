"""Classic load balancers and their listeners."""

from __future__ import annotations

from typing import Final

from tasks.aws.vocabulary.arn import arn_at
from tasks.aws.vocabulary.dns import host_at
from tasks.aws.vocabulary.node import AWSNode, RegionalNode
from tasks.provider import Per, ResourceType, Source, id_link, incoming, key, link, listing, outgoing, parent, prop

# The response has no ARN. Names of classic load balancers are unique in an account and region.
balancer_arn = arn_at("elasticloadbalancing:loadbalancer/", "LoadBalancerName")


class LoadBalancer(RegionalNode, label="LoadBalancer", tenant="AWSAccount", arn="elasticloadbalancing:loadbalancer"):
    id: str = key("DNSName")
    arn: str | None = prop(balancer_arn, index=True)
    name: str | None = prop("LoadBalancerName")
    dnsname: str = prop("DNSName", index=True)
    _host: str | None = prop(host_at("DNSName"), "The dnsname in the form used for comparison.", index=True)
    canonicalhostedzonename: str | None = prop("CanonicalHostedZoneName", "None for an internal load balancer.")
    canonicalhostedzonenameid: str | None = prop("CanonicalHostedZoneNameID")
    scheme: str | None = prop("Scheme", "internet-facing or internal. None in EC2-Classic.")
    createdtime: str | None = prop("CreatedTime")
    source_group_name: str | None = prop("SourceSecurityGroup.GroupName")
    relationships = (
        id_link("EXPOSE", "EC2Instance", "Instances[].InstanceId"),
        id_link("SUBNET", "EC2Subnet", "Subnets[]"),
        outgoing("MEMBER_OF_EC2_SECURITY_GROUP", "EC2SecurityGroup", "SecurityGroups[]"),
        # Among its own groups: every VPC has a group named `default`.
        link(
            "SOURCE_SECURITY_GROUP",
            "EC2SecurityGroup",
            on={"source_group_name": "name"},
            within="MEMBER_OF_EC2_SECURITY_GROUP",
        ),
    )


def listener_id(listener: Source) -> str:
    """Load balancer, port and protocol: listeners of classic load balancers have no id."""
    item = listener.item
    return f"{parent('DNSName')(listener)}{item['LoadBalancerPort']}{item['Protocol']}"


class ELBListener(AWSNode, label="ELBListener", labels=("Endpoint",)):
    id: str = key(listener_id)
    port: int = prop("LoadBalancerPort")
    protocol: str = prop("Protocol")
    instance_port: int | None = prop("InstancePort")
    instance_protocol: str | None = prop("InstanceProtocol")
    relationships = (incoming("ELB_LISTENER", "LoadBalancer", parent("DNSName")),)


LOAD_BALANCERS: Final = ResourceType(
    "aws.elb.load_balancers",
    Per.REGION,
    fetch=listing("elb:DescribeLoadBalancers"),
    yields=(LoadBalancer, ELBListener.each("ListenerDescriptions[].Listener")),
    aliases=("ec2:load_balancer",),
)
