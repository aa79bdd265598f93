"""Reserved instances: capacity that was paid for ahead."""

from __future__ import annotations

from typing import Final

from loaders.model import key, prop, scope_region
from tasks.aws.vocabulary.node import AWSNode
from tasks.engine.listing import listing
from tasks.resource import Per, ResourceType


class EC2ReservedInstance(AWSNode, label="EC2ReservedInstance", tenant="AWSAccount", arn="ec2:reserved-instances/{id}"):
    id: str = key("ReservedInstancesId")
    availabilityzone: str | None = prop("AvailabilityZone", "None: it counts in the whole region.")
    duration: int | None = prop("Duration", "Seconds.")
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
    region: str = prop(scope_region)


RESERVED_INSTANCES: Final = ResourceType(
    "aws.ec2.reserved_instances",
    Per.REGION,
    fetch=listing("ec2:DescribeReservedInstances", items_path="ReservedInstances"),
    yields=(EC2ReservedInstance,),
    aliases=("ec2:reserved_instances",),
)
