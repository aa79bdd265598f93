"""The IAM action that a call needs. It follows from botocore's metadata; the odd ones stand here, with their source."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Final

from tasks.aws.client.credentials import service_model

# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonresourcegrouptaggingapi.html
_ODD: Final = {
    "s3:ListBuckets": "s3:ListAllMyBuckets",
    "s3:GetBucketEncryption": "s3:GetEncryptionConfiguration",
    "s3:GetPublicAccessBlock": "s3:GetBucketPublicAccessBlock",
    "s3control:GetPublicAccessBlock": "s3:GetAccountPublicAccessBlock",
    "resourcegroupstaggingapi:GetResources": "tag:GetResources",
}
_ALWAYS_ALLOWED: Final = frozenset({"sts:GetCallerIdentity"})  # AWS answers it whatever a policy says


@cache
def permission(call: str) -> str:
    """`elb:DescribeLoadBalancers` -> `elasticloadbalancing:DescribeLoadBalancers`: as a policy names it."""
    service, operation = call.split(":")
    metadata = service_model(service).metadata
    return _ODD.get(call, f"{metadata.get('signingName') or metadata['endpointPrefix']}:{operation}")


def permissions(calls: Iterable[str]) -> list[str]:
    """What a policy must allow so that these calls are answered."""
    return sorted({permission(call) for call in calls} - _ALWAYS_ALLOWED)
