"""Application, network and gateway load balancers, their listeners, and the targets that they forward to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from loaders.model import Source, at, id_link, incoming, key, outgoing, prop, scope_region
from tasks.aws.vocabulary.dns import host_at
from tasks.aws.vocabulary.node import AWSNode
from tasks.engine.listing import listing
from tasks.resource import Per, ResourceType


def balancer_id(found: Source) -> str:
    """Of the load balancer, or of the one around a listener or target group: the DNS name, which a gateway load
    balancer hasn't got.
    """
    balancer = found.parents[-1] if found.parents else found.item
    name: str = balancer.get("DNSName") or balancer["LoadBalancerArn"]
    return name


def target_groups(balancer: Source) -> list[Mapping[str, Any]]:
    """Of one that has none, nothing names it."""
    groups: list[Mapping[str, Any]] = balancer.item["DescribeTargetGroups"].get(
        balancer.item.get("LoadBalancerArn"), []
    )
    return groups


def targets_of(group: Mapping[str, Any]) -> list[str]:
    """What a target group forwards to, healthy or not; of one that has just been deleted, nothing."""
    health = group["DescribeTargetHealth"]
    found = (at("Target.Id", one) for one in health.get("TargetHealthDescriptions") or ()) if health else ()
    return sorted({target for target in found if target})


def instances(balancer: Source) -> list[str]:
    return [
        target
        for group in target_groups(balancer)
        if group.get("TargetType") == "instance"
        for target in targets_of(group)
    ]


class LoadBalancerV2(AWSNode, label="LoadBalancerV2", tenant="AWSAccount", arn="elasticloadbalancing:loadbalancer"):
    id: str = key(balancer_id, "Its DNS name; of a gateway load balancer its ARN.")
    arn: str | None = prop("LoadBalancerArn", index=True)
    name: str | None = prop("LoadBalancerName")
    dnsname: str | None = prop("DNSName", "None for a gateway load balancer.", index=True)
    _host: str | None = prop(host_at("DNSName"), "Its DNS name, as names are compared.", index=True)
    canonicalhostedzonenameid: str | None = prop("CanonicalHostedZoneId")
    type: str | None = prop("Type", "application, network or gateway.")
    scheme: str | None = prop("Scheme", "internet-facing or internal. None for a gateway load balancer.")
    ip_address_type: str | None = prop(
        "IpAddressType", "ipv4, dualstack, or dualstack-without-public-ipv4: of that, only IPv6 is public."
    )
    listener_ports: list[int] | None = prop(
        "DescribeListeners.Listeners[].Port", "Where it listens. None: its listeners could not be read."
    )
    createdtime: str | None = prop("CreatedTime")
    region: str = prop(scope_region)
    relationships = (
        id_link("EXPOSE", "EC2Instance", instances),
        outgoing("SUBNET", "EC2Subnet", "AvailabilityZones[].SubnetId"),
        outgoing("MEMBER_OF_EC2_SECURITY_GROUP", "EC2SecurityGroup", "SecurityGroups[]"),
    )


def default_target_group(listener: Source) -> str | None:
    """Where it forwards to if no rule says otherwise; AWS names it here only where it is one."""
    actions = listener.item.get("DefaultActions", ())
    return next((action.get("TargetGroupArn") for action in actions if action.get("Type") == "forward"), None)


class ELBV2Listener(AWSNode, label="ELBV2Listener", labels=("Endpoint",), arn="elasticloadbalancing:listener"):
    id: str = key("ListenerArn")
    port: int | None = prop("Port", "None for a gateway load balancer: every port.")
    protocol: str | None = prop("Protocol", "HTTP, HTTPS, TCP, TLS, UDP, TCP_UDP; None for a gateway load balancer.")
    ssl_policy: str | None = prop("SslPolicy", "None unless it is HTTPS or TLS.")
    targetgrouparn: str | None = prop(
        default_target_group, "By default. None: it answers itself, or forwards to several by weight."
    )
    relationships = (incoming("ELBV2_LISTENER", "LoadBalancerV2", balancer_id),)


def targets(group: Source) -> list[str]:
    return targets_of(group.item)


class ELBV2TargetGroup(AWSNode, label="ELBV2TargetGroup", tenant="AWSAccount", arn="elasticloadbalancing:targetgroup"):
    id: str = key("TargetGroupArn")
    arn: str = prop("TargetGroupArn", index=True)
    name: str | None = prop("TargetGroupName")
    target_type: str | None = prop("TargetType", "What its targets are: instance, ip, lambda or alb.")
    targets: list[str] = prop(targets, "Ids of instances, addresses, or an ARN: of a function, of a load balancer.")
    port: int | None = prop("Port", "None for functions.")
    protocol: str | None = prop("Protocol", "None for functions.")
    vpc_id: str | None = prop("VpcId", "None for functions.")
    region: str = prop(scope_region)
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
