"""Tags, from the tagging API: one listing per region of all tagged resources; global services in their home region.

Declarations say which nodes an ARN belongs to (`arn=` of a node model). Each listed resource is stored as a record,
because its node may be loaded later, in another run, or never; once all scopes are loaded the node gets its tags.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Final

from tasks.aws.vocabulary.arn import kind_of
from tasks.aws.vocabulary.node import AWSNode
from tasks.engine import registry
from tasks.provider import Item, Node, Per, ResourceType, Source, key, listing, outgoing, prop

if TYPE_CHECKING:
    from tasks.aws.client.client import AwsApi

_LISTING: Final = listing("resourcegroupstaggingapi:GetResources", ResourcesPerPage=100)


def tag_key(tag: Source) -> str:
    return _key(tag.item)


def _key(tag: Mapping[str, str]) -> str:
    return json.dumps([tag["Key"], tag["Value"]], ensure_ascii=False)


def tag_keys(tagged: Source) -> list[str]:
    """Keys of an item's tags, if it has any."""
    return [_key(tag) for tag in tagged.item.get("Tags", ())]


def tag_text(tag: Source) -> str:
    """The id of 2020. Not unique: the tags `a:b`=`c` and `a`=`b:c` have the same."""
    return f"{tag.item['Key']}:{tag.item['Value']}"


class AWSTag(AWSNode, label="AWSTag", labels=("Tag",), shared=True):
    key_value: str = key(tag_key, "The key: a JSON list of the tag's key and value.")
    id: str = prop(tag_text, "<key>:<value>", index=True)
    key: str = prop("Key", index=True)
    value: str = prop("Value", "'' if the tag has no value.")


def resource(tagged: Source) -> str | None:
    """The id at the end of the ARN, for nodes that are found by it."""
    arn: str = tagged.item["ResourceARN"]
    node = kinds().get(kind_of(arn) or "")
    return arn.rpartition("/")[2] if node and node.found_by_id else None


class SyncTagged(Node, label="SyncTagged"):
    """A record of a resource's tags. Internal, like all labels that begin with Sync."""

    arn: str = key("ResourceARN")
    resource: str | None = prop(
        resource, "The id that ends the ARN. None: its node is found by the whole ARN.", index=True
    )
    relationships = (outgoing("_TAGGED", "AWSTag", tag_keys),)


@cache
def kinds() -> Mapping[str, type[AWSNode]]:
    """Node models by the resource type that they declare in `arn=`."""
    nodes = [model.cls for model in registry.schema().models if issubclass(model.cls, AWSNode)]
    return {node.arn_kind: node for node in nodes if node.arn_kind}


@dataclass(frozen=True, slots=True)
class TaggedResources:
    """Tagged resources that may be nodes of the graph. A tag shared by many is among the `NewTags` of one item only."""

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
    by_key = {_key(tag): tag for tag in tags}
    new = [tag for key, tag in by_key.items() if key not in known]
    known.update(by_key)
    return new


TAGS: Final = ResourceType(
    "aws.tags",
    Per.REGION,
    fetch=TaggedResources(),
    yields=(SyncTagged, AWSTag.each("NewTags[]")),
    aliases=("resourcegroupstaggingapi",),
)
