"""Principals by ARN: whoever a policy may name. Users, groups and roles are principals under one more label.

A trust policy in one account and the role that it names in another are one node: both are merged as AWSPrincipal
by ARN.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from loaders.model import key, prop
from tasks.aws.vocabulary.node import AWSNode
from tasks.aws.vocabulary.policy_document import listed, statements


class AWSPrincipal(AWSNode, label="AWSPrincipal", shared=True):
    arn: str = key("arn", "As the policy names it: an ARN, a service such as ec2.amazonaws.com, an account id, or *.")
    id: str = prop("arn", "The same.")
    type: str | None = prop("type", "AWS, Service, Federated or CanonicalUser.")


def named(principal: Any) -> Iterator[Mapping[str, str]]:
    """What a policy's `Principal` names, as items of AWSPrincipal. `"*"` alone is {"AWS": "*"}: anybody."""
    by_type = {"AWS": principal} if isinstance(principal, str) else principal or {}
    for type_, names in by_type.items():
        for name in listed(names):
            yield {"arn": name, "type": type_}


def trusted(policy: Any) -> list[Mapping[str, str]]:
    """Whom the Allow statements of a trust policy name, each once. All but some (NotPrincipal) are anybody."""
    found = {
        principal["arn"]: principal
        for statement in statements(policy)
        if statement.get("Effect") == "Allow"
        for principal in named("*" if "NotPrincipal" in statement else statement.get("Principal"))
    }
    return list(found.values())
