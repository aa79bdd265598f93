"""Principals by ARN: everything that a policy may name. Users, groups and roles are principals with a second label.

A role, and the principal that a trust policy of another account names by the role's ARN, are one node: both are merged
as AWSPrincipal by `arn`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from loaders.model import key, prop
from tasks.aws.vocabulary.node import AWSNode
from tasks.aws.vocabulary.policy_document import listed, statements


class AWSPrincipal(AWSNode, label="AWSPrincipal", shared=True):
    arn: str = key("arn", "As in the policy: an ARN, a service such as ec2.amazonaws.com, an account number, or *.")
    id: str = prop("arn", "Same as arn.")
    type: str | None = prop("type", "AWS, Service, Federated or CanonicalUser.")


def named(principal: Any) -> Iterator[Mapping[str, str]]:
    """The principals in a policy's `Principal`, as items of AWSPrincipal. A bare `"*"` means {"AWS": "*"}: anybody."""
    by_type = {"AWS": principal} if isinstance(principal, str) else principal or {}
    for type_, names in by_type.items():
        for name in listed(names):
            yield {"arn": name, "type": type_}


def trusted(policy: Any) -> list[Mapping[str, str]]:
    """The principals in the Allow statements of a trust policy, each once. NotPrincipal counts as anybody."""
    found = {
        principal["arn"]: principal
        for statement in statements(policy)
        if statement.get("Effect") == "Allow"
        for principal in named("*" if "NotPrincipal" in statement else statement.get("Principal"))
    }
    return list(found.values())
