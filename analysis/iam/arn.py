"""Parts of an ARN: `arn:partition:service:region:account:resource`."""

from __future__ import annotations


def partition_of(arn: str) -> str:
    return arn.split(":")[1]


def account_of(arn: str) -> str:
    return arn.split(":")[4]


def account_prefix(arn: str) -> str:
    """`arn:aws:iam::111122223333:`, the common prefix of an account's ARNs."""
    return ":".join(arn.split(":")[:5]) + ":"
