"""The actions that a statement of a resource's policy names, one by one: those of the resource's service."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from policyuniverse import service_data

from analysis.iam.example_texts import FRESH
from analysis.iam.patterns import covers, overlaps
from analysis.iam.resources import Patterns

# Of S3's actions, by the Service Authorization Reference: those on objects, by name; those on neither objects nor
# buckets, which no bucket's policy can give; all others are on buckets.
_ON_OBJECTS: Final = re.compile(
    r"(?!.*bucket).*object|s3:(abortmultipartupload|listmultipartuploadparts|bypassgovernanceretention"
    r"|replicatedelete|replicatetags|initiatereplication)"
)
_ON_NEITHER: Final = re.compile(r".*(accesspoint|accessgrant|account|job|storagelens|multiregion|allmybuckets)")


def named(actions: Patterns | None, service: str) -> dict[str, list[str]]:
    """The words, and what each means. All but some (NotAction) are the rest of `<service>:*`.

    A pattern that no known action matches means one that nobody knows yet.
    """
    if actions is None:  # accepted by KMS years ago, and without effect
        return {}
    everything = f"{service}:*"
    words = (everything,) if actions.but else actions.words
    found = {}
    for word in words:
        meant = [action for action in _known(service) if _names(word, action)]
        if not meant and overlaps(word.lower(), everything):
            meant = [word.replace("*", FRESH).replace("?", FRESH)]
        if actions.but:
            meant = [one for one in meant if means(actions, one)]
        if meant:
            found[word] = meant
    return found


def means(actions: Patterns | None, action: str) -> bool:
    if actions is None:
        return False
    return any(_names(word, action) for word in actions.words) is not actions.but


def _names(word: str, action: str) -> bool:
    return covers(word.lower(), action.lower())


def on_objects(action: str) -> bool:
    """Of an action of S3: whether it is on objects, and not on the bucket."""
    return _ON_OBJECTS.match(action.lower()) is not None


@cache
def _known(service: str) -> tuple[str, ...]:
    """Its actions as AWS spells them, in order."""
    found = {
        f"{service}:{name}" for one in service_data.values() if one["prefix"] == service for name in one["actions"]
    }
    return tuple(sorted(action for action in found if service != "s3" or not _ON_NEITHER.match(action.lower())))
