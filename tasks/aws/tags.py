"""Tags, by the tagging API: one listing per region of whatever has tags there, global services in their home region.

Which node an ARN is, the declarations say (`arn=` of a node model). What is listed is kept as a record per resource,
since the node may be read later, in another run, or never; at the barrier the node gets the tags of its record.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Final

from loaders.model import Node, Source, key, outgoing, prop
from tasks.aws.client.client import AwsApi
from tasks.aws.vocabulary.node import AWSNode, kind_of
from tasks.engine import registry
from tasks.engine.listing import listing
from tasks.resource import Item, Per, ResourceType

_LISTING: Final = listing("resourcegroupstaggingapi:GetResources", ResourcesPerPage=100)


def tag_key(tag: Source) -> str:
    return _key(tag.item)


def _key(tag: Mapping[str, str]) -> str:
    return json.dumps([tag["Key"], tag["Value"]], ensure_ascii=False)


def tag_keys(tagged: Source) -> list[str]:
    """Of the tags that an item has, if any, as AWS lists them."""
    return [_key(tag) for tag in tagged.item.get("Tags", ())]


def tag_text(tag: Source) -> str:
    """The id of 2020: the key `a:b` with the value `c` and the key `a` with the value `b:c` are one text."""
    return f"{tag.item['Key']}:{tag.item['Value']}"


class AWSTag(AWSNode, label="AWSTag", labels=("Tag",), shared=True):
    key_value: str = key(tag_key, "Its identity: key and value, as a JSON list.")
    id: str = prop(tag_text, "key:value", index=True)
    key: str = prop("Key", index=True)
    value: str = prop("Value", "'' where the tag has none.")


def resource(tagged: Source) -> str | None:
    """The id at the end of the ARN of what is found by that."""
    arn: str = tagged.item["ResourceARN"]
    named = kinds().get(kind_of(arn) or "")
    return arn.rpartition("/")[2] if named and named.found_by_id else None


class SyncTagged(Node, label="SyncTagged"):
    """What is known of a resource's tags. Chartfleet's own, like all labels that begin with Sync."""

    arn: str = key("ResourceARN")
    resource: str | None = prop(resource, "The id at its end. None: its node is found by the whole ARN.", index=True)
    relationships = (outgoing("_TAGGED", "AWSTag", tag_keys),)


@cache
def kinds() -> Mapping[str, type[AWSNode]]:
    """The kinds of ARN that node models say to be theirs."""
    nodes = [model.cls for model in registry.schema().models if issubclass(model.cls, AWSNode)]
    return {node.arn_kind: node for node in nodes if node.arn_kind}


@dataclass(frozen=True, slots=True)
class TaggedResources:
    """What has tags and may be a node of the graph. Many share a tag: it is among the `NewTags` of one item only."""

    made: ClassVar[Mapping[str, str]] = {_LISTING.action: "1 per page"}

    @property
    def calls(self) -> tuple[str, ...]:
        return _LISTING.calls

    def parts(self, api: AwsApi) -> None:
        return None

    async def items(self, api: AwsApi, part: str) -> AsyncIterator[Item]:
        known = set[str]()
        async for item in _LISTING.items(api, part):
            arn = item.value.get("ResourceARN")
            if arn is None or kind_of(arn) in kinds():
                yield Item(item.value | {"NewTags": _new(item.value.get("Tags", ()), known)})


def _new(tags: Sequence[Mapping[str, Any]], known: set[str]) -> list[Mapping[str, Any]]:
    new = {_key(tag): tag for tag in tags}
    found = [tag for key, tag in new.items() if key not in known]
    known.update(new)
    return found


TAGS: Final = ResourceType(
    "aws.tags",
    Per.REGION,
    fetch=TaggedResources(),
    yields=(SyncTagged, AWSTag.each("NewTags[]")),
    aliases=("resourcegroupstaggingapi",),
)
