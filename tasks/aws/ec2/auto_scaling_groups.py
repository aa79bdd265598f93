"""Auto Scaling groups and their instances."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tasks.aws.vocabulary.node import RegionalNode
from tasks.provider import Per, ResourceType, Source, incoming, key, listing, outgoing, prop


def subnets(group: Source) -> list[str]:
    """AWS gives one comma-separated text: `subnet-1,subnet-2`."""
    return [subnet.strip() for subnet in group.item.get("VPCZoneIdentifier", "").split(",")]


def launch_template(field: str) -> Callable[[Source], str | None]:
    """A field of the group's launch template: its own, or that of its mixed instances policy."""

    def value(group: Source) -> str | None:
        mixed = group.item.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {})
        template = group.item.get("LaunchTemplate") or mixed.get("LaunchTemplateSpecification", {})
        setting: str | None = template.get(field)
        return setting

    return value


class AutoScalingGroup(RegionalNode, label="AutoScalingGroup", tenant="AWSAccount", arn="autoscaling:autoScalingGroup"):
    arn: str = key("AutoScalingGroupARN")
    id: str = prop("AutoScalingGroupARN", index=True)
    name: str | None = prop("AutoScalingGroupName", index=True)
    createdtime: str | None = prop("CreatedTime")
    launchconfigurationname: str | None = prop("LaunchConfigurationName", "None if the group has a launch template.")
    launchtemplateid: str | None = prop(launch_template("LaunchTemplateId"))
    launchtemplatename: str | None = prop(launch_template("LaunchTemplateName"))
    launchtemplateversion: str | None = prop(launch_template("Version"), "A number, $Latest or $Default.")
    minsize: int | None = prop("MinSize")
    maxsize: int | None = prop("MaxSize")
    desiredcapacity: int | None = prop("DesiredCapacity")
    defaultcooldown: int | None = prop("DefaultCooldown", "In seconds.")
    healthchecktype: str | None = prop("HealthCheckType")
    healthcheckgraceperiod: int | None = prop("HealthCheckGracePeriod", "In seconds.")
    maxinstancelifetime: int | None = prop("MaxInstanceLifetime", "In seconds. None: unlimited.")
    newinstancesprotectedfromscalein: bool | None = prop("NewInstancesProtectedFromScaleIn")
    capacityrebalance: bool | None = prop("CapacityRebalance")
    status: str | None = prop("Status", "None unless the group is being deleted.")
    relationships = (
        outgoing("VPC_IDENTIFIER", "EC2Subnet", subnets),
        incoming("MEMBER_AUTO_SCALE_GROUP", "EC2Instance", "Instances[].InstanceId"),
    )


AUTO_SCALING_GROUPS: Final = ResourceType(
    "aws.ec2.auto_scaling_groups",
    Per.REGION,
    fetch=listing("autoscaling:DescribeAutoScalingGroups"),
    yields=(AutoScalingGroup,),
    aliases=("ec2:autoscalinggroup",),
)
