"""Amazon Resource Names: building them for what a response names without one, and taking them apart."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from loaders.model import Source, Value, at, scope_region, scope_tenant
from loaders.scope import GLOBAL

# `arn:aws:ec2:eu-west-1:111122223333:instance/i-1`: the service, and the type where a resource of the service has one.
_ARN: Final = re.compile(r"arn:[^:]*:(?P<service>[^:]+):[^:]*:[^:]*:/?(?:(?P<type>[^/:]+)[/:])?.+", re.DOTALL)
_WITHOUT_ACCOUNT: Final = frozenset({"s3", "route53"})


def arn_at(
    prefix: str, name: Value, *, region: Value = scope_region, account: Value = scope_tenant
) -> Callable[[Source], str | None]:
    """The ARN of a resource that a response gives only by name: `arn_at("rds:cluster", "DBClusterIdentifier")`.

    prefix   what precedes the name: `rds:cluster` (a colon is added), `ec2:instance/`, `s3`
    name     where the name is: a path, or a function
    region   of the scope, unless given; so is the account

    A name that is an ARN is returned as it is. None where the name, or the account given, is missing.
    """

    def build(source: Source) -> str | None:
        found = _value(name, source)
        if found is None or found.startswith("arn:"):
            return found
        owner = _value(account, source)
        resource = f"{prefix}{found}" if prefix.endswith("/") else f"{prefix}:{found}"
        return arn_of(resource, source.partition, _value(region, source) or "", owner) if owner else None

    build.__name__ = f"arn_at({prefix!r})"
    if isinstance(name, str):
        build.__doc__ = f"ARN of the {prefix.rstrip('/')} in `{name}`."
        build.arn_path = name  # type: ignore[attr-defined]  # the contract test checks it against the service's model
    return build


def arn_of(resource: str, partition: str, region: str, account: str) -> str:
    """`rds:db:main` -> `arn:aws:rds:eu-west-1:111122223333:db:main`. ARNs of global resources name no region."""
    service, _, rest = resource.partition(":")
    place = "" if region == GLOBAL else region
    return f"arn:{partition}:{service}:{place}:{'' if service in _WITHOUT_ACCOUNT else account}:{rest}"


def _value(value: Value, source: Source) -> str | None:
    found: str | None = at(value, source.item) if isinstance(value, str) else value(source)
    return found or None


def resource_of(arn: str) -> str:
    """What follows the account: `instance/i-1`."""
    return arn.split(":", 5)[5]


def kind_of(arn: str) -> str | None:
    """The resource type, as filters of the tagging API name it: `ec2:instance`, `rds:db`; `s3` for a bucket."""
    parts = _ARN.fullmatch(arn)
    if not parts:
        return None
    return f"{parts['service']}:{parts['type']}" if parts["type"] else parts["service"]
