"""AMIs that instances of the account run: its own, shared and public ones."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final

from tasks.aws.vocabulary.node import RegionalNode
from tasks.engine.responses import values_at
from tasks.provider import Item, Per, ResourceType, Source, at, key, listing, prop

if TYPE_CHECKING:
    from tasks.aws.client.client import AwsApi

MAX_VALUES: Final = 200  # per filter: EC2's limit


def account_image(image: Source) -> str:
    return f"{image.scope.tenant}|{image_in_region(image)}"


def image_in_region(image: Source) -> str:
    return f"{image.item['ImageId']}|{image.scope.region}"


class EC2Image(RegionalNode, label="EC2Image", tenant="AWSAccount"):
    account_image: str = key(account_image, "The key: each account that uses an image has a node of its own.")
    id: str = prop(image_in_region, index=True)
    imageid: str = prop("ImageId", index=True)
    name: str | None = prop("Name")
    description: str | None = prop("Description")
    owner: str | None = prop("OwnerId")
    image_owner_alias: str | None = prop("ImageOwnerAlias", "amazon, aws-marketplace or self. None: another account.")
    ispublic: bool | None = prop("Public")
    state: str | None = prop("State")
    type: str | None = prop("ImageType")
    location: str | None = prop("ImageLocation")
    creationdate: str | None = prop("CreationDate")
    architecture: str | None = prop("Architecture")
    platform: str | None = prop("Platform", "None except for Windows.")
    platform_details: str | None = prop("PlatformDetails")
    usageoperation: str | None = prop("UsageOperation")
    hypervisor: str | None = prop("Hypervisor")
    virtualizationtype: str | None = prop("VirtualizationType")
    bootmode: str | None = prop("BootMode")
    enasupport: bool | None = prop("EnaSupport")
    sriov_net_support: str | None = prop("SriovNetSupport")
    rootdevicename: str | None = prop("RootDeviceName")
    rootdevicetype: str | None = prop("RootDeviceType")
    kernel_id: str | None = prop("KernelId")
    ramdisk_id: str | None = prop("RamdiskId")


@dataclass(frozen=True, slots=True)
class ImagesInUse:
    """The images that instances refer to, as far as they are still visible.

    Deregistered images, and those no longer shared, are missing from the response. Images are selected by a filter,
    because a missing id would fail the whole call. Deprecated and disabled images are only returned on request.
    """

    calls: tuple[str, ...] = ("ec2:DescribeInstances", "ec2:DescribeImages")
    made: ClassVar[Mapping[str, str]] = {
        "ec2:DescribeInstances": "1 per page",
        "ec2:DescribeImages": f"1 per page of every {MAX_VALUES} images",
    }

    def parts(self, api: AwsApi) -> None:
        return None

    async def items(self, api: AwsApi, part: str) -> AsyncIterator[Item]:
        used: set[str | None] = set()
        async for reservation in listing("ec2:DescribeInstances").items(api, part):
            used |= {at("ImageId", instance) for instance in _instances(reservation.value)}
        ids = sorted(image for image in used if isinstance(image, str))
        for start in range(0, len(ids), MAX_VALUES):
            filters = [{"Name": "image-id", "Values": ids[start : start + MAX_VALUES]}]
            images = listing("ec2:DescribeImages", Filters=filters, IncludeDeprecated=True, IncludeDisabled=True)
            async for image in images.items(api, part):
                yield image


def _instances(reservation: object) -> list[Any]:
    """Those of a reservation. Raises CallFailed where there is none: the images of other ones wouldn't be seen."""
    return values_at("Instances", reservation, "ec2:DescribeInstances", allow_single=False)


IMAGES: Final = ResourceType(
    "aws.ec2.images", Per.REGION, fetch=ImagesInUse(), yields=(EC2Image,), aliases=("ec2:images",)
)
