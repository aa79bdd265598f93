"""Reserved instances: capacity paid for in advance."""

from __future__ import annotations

from typing import Final

from tasks.aws.vocabulary.node import RegionalNode
from tasks.provider import Per, ResourceType, key, listing, prop


class EC2ReservedInstance(
    RegionalNode, label="EC2ReservedInstance", tenant="AWSAccount", arn="ec2:reserved-instances/{id}"
):
    id: str = key("ReservedInstancesId")
    availabilityzone: str | None = prop("AvailabilityZone", "None: applies to the whole region.")
    duration: int | None = prop("Duration", "In seconds.")
    start: str | None = prop("Start")
    end: str | None = prop("End")
    count: int | None = prop("InstanceCount")
    type: str | None = prop("InstanceType")
    productdescription: str | None = prop("ProductDescription")
    state: str | None = prop("State")
    currencycode: str | None = prop("CurrencyCode")
    fixedprice: float | None = prop("FixedPrice")
    instancetenancy: str | None = prop("InstanceTenancy")
    offeringclass: str | None = prop("OfferingClass", "standard or convertible.")
    offeringtype: str | None = prop("OfferingType")
    scope: str | None = prop("Scope", "Availability Zone or Region.")


RESERVED_INSTANCES: Final = ResourceType(
    "aws.ec2.reserved_instances",
    Per.REGION,
    fetch=listing("ec2:DescribeReservedInstances", items_path="ReservedInstances"),
    yields=(EC2ReservedInstance,),
    aliases=("ec2:reserved_instances",),
)
