"""Key pairs by which somebody may log in to instances."""

from __future__ import annotations

from typing import Final

from loaders.model import Source, key, prop, scope_region
from tasks.aws.vocabulary.node import AWSNode
from tasks.engine.listing import listing
from tasks.resource import Per, ResourceType


def key_pair_arn(named: Source) -> str | None:
    """ARN of the key pair that a key pair's own response, or an instance's, names; None where it names none."""
    name: str | None = named.item.get("KeyName")
    place = f"{named.partition}:ec2:{named.scope.region}:{named.scope.tenant}"
    return f"arn:{place}:key-pair/{name}" if name else None


class EC2KeyPair(AWSNode, label="EC2KeyPair", labels=("KeyPair",), tenant="AWSAccount", arn=None):
    id: str = key(key_pair_arn)
    arn: str = prop(key_pair_arn, index=True)
    keyname: str = prop("KeyName", index=True)
    keyfingerprint: str | None = prop(
        "KeyFingerprint",
        "Of RSA keys 59 characters (SHA-1) where AWS made the key, 47 (MD5) where it was imported.",
        index=True,
    )
    region: str = prop(scope_region)


KEY_PAIRS: Final = ResourceType(
    "aws.ec2.key_pairs",
    Per.REGION,
    fetch=listing("ec2:DescribeKeyPairs", items_path="KeyPairs"),
    yields=(EC2KeyPair,),
    aliases=("ec2:keypair",),
)
