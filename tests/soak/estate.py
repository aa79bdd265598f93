"""What the providers have: a small estate in several variants, so that things appear and vanish between runs.

All that changes has ids of its own: the same variant is the same estate, however often it comes back.
"""

from __future__ import annotations

import json
from typing import Any, Final

import boto3

from demo import estate
from demo.builder import allow
from demo.inventory import ACCOUNT, ANYWHERE, REGIONS
from tests.servers.aws import AwsServer
from tests.servers.company import Company, Size

AWS_REGIONS: Final = REGIONS[:2]
AWS_TYPES: Final = (
    "account",
    "ec2.instances",
    "ec2.security_groups",
    "ec2.subnets",
    "ec2.vpcs",
    "iam.policies",
    "iam.roles",
    "iam.users",
    "s3.acls",
    "s3.buckets",
)
MODULES: Final = ("aws", "github", "okta")
VARIANTS: Final = 4
_SIZES: Final = (
    Size(people=12, groups=3, projects=1, repositories=3),
    Size(people=13, groups=4, projects=1, repositories=2),
)
_BUCKETS: Final = ("soak-comes-and-goes", "soak-public")
_TRUST: Final = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}


class Estate:
    """`set(variant)` makes it so, in the simulated AWS and in the company. Variants are numbers below VARIANTS."""

    def __init__(self, aws: AwsServer, company: Company) -> None:
        self._company = company
        self._url = aws.url
        self._session = boto3.Session()
        filled = estate.fill(aws.url, regions=AWS_REGIONS)
        self._group = filled.regions[REGIONS[0]].groups["internal"]
        self._has_more = False
        self.variant = -1

    def set(self, variant: int) -> None:
        """Bit 0: the size of the company; bit 1: whether AWS has what comes and goes."""
        self.variant = variant
        self._company.resize(_SIZES[variant & 1])
        if (more := bool(variant & 2)) != self._has_more:
            (self._add if more else self._remove)()
            self._has_more = more

    def _add(self) -> None:
        s3, iam, ec2 = self._client("s3"), self._client("iam"), self._client("ec2")
        for name in _BUCKETS:
            s3.create_bucket(Bucket=name)
        s3.put_bucket_acl(Bucket=_BUCKETS[1], ACL="public-read")
        iam.create_user(UserName="soak-visitor")
        policy = json.dumps({"Version": "2012-10-17", "Statement": [_TRUST]})
        iam.create_role(RoleName="soak-role", AssumeRolePolicyDocument=policy)
        ec2.authorize_security_group_ingress(GroupId=self._group, IpPermissions=[allow(ANYWHERE, ports=443)])

    def _remove(self) -> None:
        s3, iam, ec2 = self._client("s3"), self._client("iam"), self._client("ec2")
        for name in _BUCKETS:
            s3.delete_bucket(Bucket=name)
        iam.delete_user(UserName="soak-visitor")
        iam.delete_role(RoleName="soak-role")
        ec2.revoke_security_group_ingress(GroupId=self._group, IpPermissions=[allow(ANYWHERE, ports=443)])

    def _client(self, service: str) -> Any:
        return estate.client_of(self._session, self._url, ACCOUNT, service, REGIONS[0])
