"""The bases of AWS node models."""

from __future__ import annotations

import dataclasses
import re
from typing import ClassVar, Final

from loaders.model import Node, Relationship, link_through, prop, scope_region

_BY_ID: Final = re.compile(r"(?P<kind>.+)/\{(?P<property>\w+)\}")


class AWSNode(Node, prefix="AWS"):
    """A node with two spellings of its label, `EC2Instance` and `AWSEC2Instance`: queries for 2020's graph and for
    today's both match.

    arn    the resource type in the nodes' ARNs, by which tags are attached (AWS lists tags by ARN):
           "rds:db"                 the whole ARN is the property `arn`, or the key if there is no such property
           "ec2:instance/{id}"      the property `id` holds the end of the ARN. Only for ids unique in all of AWS
           None                     the node has an `arn`, but the tagging API never lists it
    """

    arn_kind: ClassVar[str] = ""
    found_by_id: ClassVar[bool] = False
    declares_arn: ClassVar[bool] = False
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
        cls.declares_arn = arn != ""
        by_id = _BY_ID.fullmatch(arn or "")
        cls.arn_kind, cls.found_by_id = (by_id["kind"] if by_id else arn or ""), by_id is not None
        if arn:
            keys = {field.name: field.metadata["property"].is_key for field in dataclasses.fields(cls)}
            whole = "arn" if "arn" in keys else next(name for name, is_key in keys.items() if is_key)
            on = {by_id["property"]: "resource"} if by_id else {whole: "arn"}
            cls.relationships = (*cls.relationships, link_through("SyncTagged", "_TAGGED", "TAGGED", "AWSTag", on=on))


class RegionalNode(AWSNode):
    """A node of one region."""

    region: str = prop(scope_region)
