"""The base of every AWS node model."""

from __future__ import annotations

import dataclasses
import re
from typing import ClassVar, Final

from loaders.model import Node, Relationship, link_through

# Of `arn:aws:ec2:eu-west-1:111122223333:instance/i-1` the service, and the type where what follows the account has one.
_ARN: Final = re.compile(r"arn:[^:]*:(?P<service>[^:]+):[^:]*:[^:]*:/?(?:(?P<type>[^/:]+)[/:])?.+", re.DOTALL)
_BY_ID: Final = re.compile(r"(?P<kind>.+)/\{(?P<property>\w+)\}")


def kind_of(arn: str) -> str | None:
    """What an ARN is one of, as the tagging API's filters call it: `ec2:instance`, `rds:db`; a bucket is an `s3`."""
    found = _ARN.fullmatch(arn)
    if not found:
        return None
    return f"{found['service']}:{found['type']}" if found["type"] else found["service"]


class AWSNode(Node, prefix="AWS"):
    """Carries its label as in 2020, `EC2Instance`, and as today, `AWSEC2Instance`: queries of either generation run.

    arn    of which kind of ARN the nodes are, so that the tags which AWS lists by ARN reach them:
           "rds:db"                 the whole ARN is the property `arn`, or the key where there is none of that name
           "ec2:instance/{id}"      its end is the property `id`. Only where that is unique in all of AWS
           None                     has an `arn`, and gets no tags by it
    """

    arn_kind: ClassVar[str] = ""
    found_by_id: ClassVar[bool] = False
    says_its_arn: ClassVar[bool] = False
    relationships: ClassVar[tuple[Relationship, ...]] = ()

    def __init_subclass__(
        cls,
        *,
        label: str = "",
        labels: tuple[str, ...] = (),
        tenant: str | None = None,
        shared: bool = False,
        prefix: str | None = None,
        arn: str | None = "",
    ) -> None:
        super().__init_subclass__(label=label, labels=labels, tenant=tenant, shared=shared, prefix=prefix)
        cls.says_its_arn = arn != ""
        by_id = _BY_ID.fullmatch(arn or "")
        cls.arn_kind, cls.found_by_id = (by_id["kind"] if by_id else arn or ""), by_id is not None
        if arn:
            keys = {field.name: field.metadata["property"].is_key for field in dataclasses.fields(cls)}
            whole = "arn" if "arn" in keys else next(name for name, is_key in keys.items() if is_key)
            on = {by_id["property"]: "resource"} if by_id else {whole: "arn"}
            cls.relationships = (*cls.relationships, link_through("SyncTagged", "_TAGGED", "TAGGED", "AWSTag", on=on))
