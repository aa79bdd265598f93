"""Application, network and gateway load balancers, their listeners and target groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tasks.aws.vocabulary.dns import host_at
from tasks.aws.vocabulary.node import AWSNode, RegionalNode
from tasks.provider import Per, ResourceType, Source, at, id_link, incoming, key, listing, outgoing, prop


def balancer_id(source: Source) -> str:
    """The DNS name of the load balancer, or of the one that a listener or target group belongs to; the ARN of a gateway
    load balancer, which has no DNS name.
    """
    balancer = source.parents[-1] if source.parents else source.item
    name: str = balancer.get("DNSName") or balancer["LoadBalancerArn"]
    return name


def target_groups(balancer: Source) -> list[Mapping[str, Any]]:
    """The target groups of a load balancer; [] if it has none."""
    by_balancer: Mapping[str, list[Mapping[str, Any]]] = balancer.item["DescribeTargetGroups"]
    return by_balancer.get(balancer.item.get("LoadBalancerArn"), [])


def targets_of(group: Mapping[str, Any]) -> list[str]:
    """The targets of a group, healthy or not; none for a group that has just been deleted."""
    health = group["DescribeTargetHealth"]
    targets = (at("Target.Id", target) for target in health.get("TargetHealthDescriptions") or ()) if health else ()
    return sorted({target for target in targets if target})


def instances(balancer: Source) -> list[str]:
    return [
        target
        for group in target_groups(balancer)
        if group.get("TargetType") == "instance"
        for target in targets_of(group)
    ]


class LoadBalancerV2(
    RegionalNode, label="LoadBalancerV2", tenant="AWSAccount", arn="elasticloadbalancing:loadbalancer"
):
    id: str = key(balancer_id, "Its DNS name; for a gateway load balancer, its ARN.")
    arn: str | None = prop("LoadBalancerArn", index=True)
    name: str | None = prop("LoadBalancerName")
    dnsname: str | None = prop("DNSName", "None for a gateway load balancer.", index=True)
    _host: str | None = prop(host_at("DNSName"), "The dnsname in the form used for comparison.", index=True)
    canonicalhostedzonenameid: str | None = prop("CanonicalHostedZoneId")
    type: str | None = prop("Type", "application, network or gateway.")
    scheme: str | None = prop("Scheme", "internet-facing or internal. None for a gateway load balancer.")
    ip_address_type: str | None = prop(
        "IpAddressType", "ipv4, dualstack, or dualstack-without-public-ipv4, of which only IPv6 is public."
    )
    listener_ports: list[int] | None = prop(
        "DescribeListeners.Listeners[].Port", "The ports of its listeners. None: the listeners could not be read."
    )
    createdtime: str | None = prop("CreatedTime")
    relationships = (
        id_link("EXPOSE", "EC2Instance", instances),
        outgoing("SUBNET", "EC2Subnet", "AvailabilityZones[].SubnetId"),
        outgoing("MEMBER_OF_EC2_SECURITY_GROUP", "EC2SecurityGroup", "SecurityGroups[]"),
    )


def default_target_group(listener: Source) -> str | None:
    """The default action's target group. AWS names it here only if there is exactly one."""
    actions = listener.item.get("DefaultActions", ())
    return next((action.get("TargetGroupArn") for action in actions if action.get("Type") == "forward"), None)


class ELBV2Listener(AWSNode, label="ELBV2Listener", labels=("Endpoint",), arn="elasticloadbalancing:listener"):
    id: str = key("ListenerArn")
    port: int | None = prop("Port", "None for a gateway load balancer, which listens on every port.")
    protocol: str | None = prop("Protocol", "HTTP, HTTPS, TCP, TLS, UDP or TCP_UDP. None for a gateway load balancer.")
    ssl_policy: str | None = prop("SslPolicy", "None except for HTTPS and TLS.")
    targetgrouparn: str | None = prop(
        default_target_group,
        "Of its default action. None: responds itself, or forwards to several groups by weight.",
    )
    relationships = (
        incoming("ELBV2_LISTENER", "LoadBalancerV2", balancer_id),
        id_link("USED_BY", "ACMCertificate", "Certificates[].CertificateArn", incoming=True),
    )


def targets(group: Source) -> list[str]:
    return targets_of(group.item)


class ELBV2TargetGroup(
    RegionalNode, label="ELBV2TargetGroup", tenant="AWSAccount", arn="elasticloadbalancing:targetgroup"
):
    id: str = key("TargetGroupArn")
    arn: str = prop("TargetGroupArn", index=True)
    name: str | None = prop("TargetGroupName")
    target_type: str | None = prop("TargetType", "instance, ip, lambda or alb.")
    targets: list[str] = prop(targets, "Instance ids, IP addresses, or the ARN of a function or load balancer.")
    port: int | None = prop("Port", "None for functions.")
    protocol: str | None = prop("Protocol", "None for functions.")
    vpc_id: str | None = prop("VpcId", "None for functions.")
    relationships = (incoming("ELBV2_TARGET_GROUP", "LoadBalancerV2", balancer_id),)


LOAD_BALANCERS: Final = ResourceType(
    "aws.elbv2.load_balancers",
    Per.REGION,
    fetch=listing("elbv2:DescribeLoadBalancers", not_found_codes="LoadBalancerNotFound")
    .detail("elbv2:DescribeListeners", LoadBalancerArn="LoadBalancerArn")
    .lookup(
        listing("elbv2:DescribeTargetGroups").detail(
            "elbv2:DescribeTargetHealth", TargetGroupArn="TargetGroupArn", absent_codes="TargetGroupNotFound"
        ),
        key="LoadBalancerArns[]",
    ),
    yields=(
        LoadBalancerV2,
        ELBV2Listener.each("DescribeListeners.Listeners[]"),
        ELBV2TargetGroup.each(target_groups),
    ),
    aliases=("ec2:load_balancer_v2", "ec2:load_balancer_v2:expose"),
)
