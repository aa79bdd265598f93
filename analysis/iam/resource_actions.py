"""The single actions, of the resource's service, that a statement of a resource policy matches."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Final, TypedDict

from analysis.iam.example_texts import FRESH
from analysis.iam.patterns import covers, overlaps
from analysis.iam.resources import Patterns

# S3's actions, by the Service Authorization Reference: those on objects; those on neither objects nor buckets, which
# no bucket policy can allow; and all others, which are on buckets.
_ON_OBJECTS: Final = re.compile(
    r"(?!.*bucket).*object|s3:(abortmultipartupload|listmultipartuploadparts|bypassgovernanceretention"
    r"|replicatedelete|replicatetags|initiatereplication)"
)
_ON_NEITHER: Final = re.compile(r".*(accesspoint|accessgrant|account|job|storagelens|multiregion|allmybuckets)")


class _Service(TypedDict):
    prefix: str
    actions: dict[str, object]


def named(actions: Patterns | None, service: str) -> dict[str, list[str]]:
    """The actions that each word matches. NotAction stands for `<service>:*` without the actions that it names.

    A pattern that matches no known action stands for an action that isn't known yet.
    """
    if actions is None:  # KMS accepted this years ago; it has no effect
        return {}
    everything = f"{service}:*"
    words = (everything,) if actions.negated else actions.words
    by_word: dict[str, list[str]] = {}
    for word in words:
        meant = [action for action in _known(service) if _names(word, action)]
        if not meant and overlaps(word.lower(), everything):
            meant = [word.replace("*", FRESH).replace("?", FRESH)]
        if actions.negated:
            meant = [action for action in meant if means(actions, action)]
        if meant:
            by_word[word] = meant
    return by_word


def means(actions: Patterns | None, action: str) -> bool:
    if actions is None:
        return False
    return any(_names(word, action) for word in actions.words) is not actions.negated


def _names(word: str, action: str) -> bool:
    return covers(word.lower(), action.lower())


def on_objects(action: str) -> bool:
    """Whether an S3 action is on objects rather than on the bucket."""
    return _ON_OBJECTS.match(action.lower()) is not None


@cache
def _known(service: str) -> tuple[str, ...]:
    """Its actions as AWS spells them, in order."""
    from policyuniverse import service_data  # 20 MB, which only whoever reads a policy needs

    services: Iterable[_Service] = service_data.values()
    names = {f"{service}:{name}" for entry in services if entry["prefix"] == service for name in entry["actions"]}
    return tuple(sorted(action for action in names if service != "s3" or not _ON_NEITHER.match(action.lower())))
