"""The IAM action that a call requires: derived from botocore's metadata, with the exceptions listed here."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Final

from tasks.aws.client.credentials import service_model

# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonresourcegrouptaggingapi.html
_EXCEPTIONS: Final = {
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3control:GetPublicAccessBlock": "s3:GetAccountPublicAccessBlock",
    "resourcegroupstaggingapi:GetResources": "tag:GetResources",
}
_ALWAYS_ALLOWED: Final = frozenset({"sts:GetCallerIdentity"})  # requires no permission


@cache
def permission(call: str) -> str:
    """`elb:DescribeLoadBalancers` -> `elasticloadbalancing:DescribeLoadBalancers`: as policies name it."""
    service, operation = call.split(":")
    metadata = service_model(service).metadata
    return _EXCEPTIONS.get(call, f"{metadata.get('signingName') or metadata['endpointPrefix']}:{operation}")


def permissions(calls: Iterable[str]) -> list[str]:
    """The actions that a policy must allow for these calls."""
    return sorted({permission(call) for call in calls} - _ALWAYS_ALLOWED)
