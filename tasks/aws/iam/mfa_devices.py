"""MFA devices of IAM users: virtual ones, security keys and hardware tokens. AWS lists all kinds per user only.

Those of the root user can't be listed; aws.iam.account_summary says whether it has any.
"""

from __future__ import annotations

from typing import Final

from tasks.aws.vocabulary.arn import resource_of
from tasks.aws.vocabulary.node import AWSNode
from tasks.provider import Per, ResourceType, Source, incoming, key, listing, parent, prop

_KINDS: Final = {"mfa": "virtual", "u2f": "security key"}  # by the resource type in its ARN


def kind(device: Source) -> str:
    """By the serial number, which is an ARN unless it is that of a hardware token."""
    serial = device.item["SerialNumber"]
    if not serial.startswith("arn:"):
        return "hardware token"
    return _KINDS[resource_of(serial).split("/")[0]]


class MfaDevice(AWSNode, label="MfaDevice", tenant="AWSAccount"):
    serialnumber: str = key("SerialNumber", "Its ARN; of a hardware token, the number printed on it.")
    id: str = prop("SerialNumber", "Same as serialnumber.")
    kind: str | None = prop(kind, "virtual, security key or hardware token.")
    username: str | None = prop("UserName")
    user_arn: str = prop(parent("Arn"), index=True)
    enabledate: str | None = prop("EnableDate")
    relationships = (incoming("MFA_DEVICE", "AWSUser", parent("Arn")),)


MFA_DEVICES: Final = ResourceType(
    "aws.iam.mfa_devices",
    Per.TENANT,
    fetch=listing("iam:ListUsers", not_found_codes="NoSuchEntity").detail("iam:ListMFADevices", UserName="UserName"),
    yields=(MfaDevice.each("ListMFADevices.MFADevices[]"),),
)
