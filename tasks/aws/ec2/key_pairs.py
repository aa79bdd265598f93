"""Key pairs for SSH access to instances."""

from __future__ import annotations

from typing import Final

from tasks.aws.vocabulary.arn import arn_at
from tasks.aws.vocabulary.node import RegionalNode
from tasks.provider import Per, ResourceType, key, listing, prop

# For key pairs, and for instances, which name the key pair they were launched with.
key_pair_arn = arn_at("ec2:key-pair/", "KeyName")


class EC2KeyPair(RegionalNode, label="EC2KeyPair", labels=("KeyPair",), tenant="AWSAccount", arn=None):
    id: str = key(key_pair_arn)
    arn: str = prop(key_pair_arn, index=True)
    keyname: str = prop("KeyName", index=True)
    keyfingerprint: str | None = prop(
        "KeyFingerprint",
        "For RSA keys: 59 characters (SHA-1) if AWS created the key, 47 (MD5) if it was imported.",
        index=True,
    )


KEY_PAIRS: Final = ResourceType(
    "aws.ec2.key_pairs",
    Per.REGION,
    fetch=listing("ec2:DescribeKeyPairs", items_path="KeyPairs"),
    yields=(EC2KeyPair,),
    aliases=("ec2:keypair",),
)
