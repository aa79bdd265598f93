"""The buckets of the demo's estate: public and private ones, by access control list and by policy."""

from __future__ import annotations

from typing import Any

from demo.inventory import OFFICE, PARTNER, Estate
from demo.policies import policy


def fill_buckets(s3: Any, estate: Estate) -> None:
    account = estate.account
    acls = {
        f"demo-private-{account}": "private",
        f"1.demo.{account}.example.com": "private",
        f"demo-{account}-".ljust(63, "x"): "private",
        f"{account}-9": "private",
        f"demo-assets-{account}": "public-read",
        f"demo-dropbox-{account}": "public-read-write",
        f"demo-any-aws-customer-{account}": "authenticated-read",
    }
    read = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"}
    from_office = {"IpAddress": {"aws:SourceIp": OFFICE}}
    from_organization = {"StringEquals": {"aws:PrincipalOrgID": "o-exampleorgid"}}
    public_policies: dict[str, list[dict[str, Any]]] = {
        f"demo-website-{account}": [read],
        f"demo-open-listing-{account}": [
            read | {"Principal": {"AWS": "*"}, "Action": ["s3:ListBucket", "s3:GetObject"], "Sid": "Listing"}
        ],
    }
    public_policies[f"demo-all-but-delete-{account}"] = [
        {"Effect": "Allow", "Principal": "*", "NotAction": "s3:DeleteBucket"}
    ]
    private_policies: dict[str, list[dict[str, Any]]] = {
        f"demo-office-{account}": [read | {"Condition": from_office}],
        f"demo-organization-{account}": [read | {"Condition": from_organization}],
        f"demo-partner-{account}": [read | {"Principal": {"AWS": f"arn:aws:iam::{PARTNER}:root"}}],
        f"demo-tls-only-{account}": [
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ],
    }
    policies = public_policies | private_policies
    for name in acls.keys() | policies.keys():
        s3.create_bucket(Bucket=name)
    for name, acl in acls.items():
        s3.put_bucket_acl(Bucket=name, ACL=acl)
    for name, statements in policies.items():
        resource = [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"]
        s3.put_bucket_policy(Bucket=name, Policy=policy(*({"Resource": resource} | each for each in statements)))
    private = private_policies.keys() | {name for name, acl in acls.items() if acl == "private"}
    for name in private:
        disable_acls(s3, name)
    estate.public_buckets |= public_policies.keys() | {name for name, acl in acls.items() if acl != "private"}
    estate.private_buckets |= private


def disable_acls(s3: Any, bucket: str) -> None:
    """The default for new buckets since April 2023: no object can be made public by an access control list."""
    rules = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=rules)
