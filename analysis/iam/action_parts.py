"""Which actions work on a part of a resource and not, or not only, on the resource that is in the graph.

By the service authorization reference, whose tables name the resource types of each action:
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from typing import Final

from analysis.iam.patterns import overlaps
from analysis.iam.resources import ITSELF, Part

OBJECTS: Final = Part("/")
INDEXES: Final = Part("/index/", frozenset(string.ascii_letters + string.digits + "_.-"))
STREAMS: Final = Part("/stream/", frozenset(string.digits + "T:.-"))  # by the time when each was made


@dataclass(frozen=True, slots=True)
class AskedAbout:
    """What a policy must allow an action on.

    parts    all of them
    or_else  the part that is enough as well where a policy doesn't allow these
    """

    parts: tuple[Part, ...]
    or_else: Part | None = None


# By service; each part with the actions that work on it alone.
_ON_PARTS_ALONE: Final = {
    "s3": {
        OBJECTS: frozenset(
            (
                "abortmultipartupload",
                "bypassgovernanceretention",
                "deleteobject",
                "deleteobjecttagging",
                "deleteobjectversion",
                "deleteobjectversiontagging",
                "getobject",
                "getobjectacl",
                "getobjectattributes",
                "getobjectlegalhold",
                "getobjectretention",
                "getobjecttagging",
                "getobjecttorrent",
                "getobjectversion",
                "getobjectversionacl",
                "getobjectversionattributes",
                "getobjectversionforreplication",
                "getobjectversiontagging",
                "getobjectversiontorrent",
                "initiatereplication",
                "listmultipartuploadparts",
                "objectowneroverridetobucketowner",
                "putobject",
                "putobjectacl",
                "putobjectlegalhold",
                "putobjectretention",
                "putobjecttagging",
                "putobjectversionacl",
                "putobjectversiontagging",
                "replicatedelete",
                "replicateobject",
                "replicatetags",
                "restoreobject",
            )
        ),
    },
    "dynamodb": {STREAMS: frozenset(("describestream", "getrecords", "getsharditerator"))},
}

# The same for those that work on the resource as well: a table is queried itself, or by an index.
_ON_PARTS_TOO: Final = {
    "dynamodb": {INDEXES: frozenset(("partiqlselect", "query", "scan"))},
}


def asked_about(permission: str) -> AskedAbout:
    """A permission with wildcards is asked about all that any of its actions works on."""
    service, _, action = permission.lower().partition(":")
    alone, too = _ON_PARTS_ALONE.get(service, {}), _ON_PARTS_TOO.get(service, {})
    if "*" in action or "?" in action:
        meant = [part for parts in (alone, too) for part, actions in parts.items() if _any(action, actions)]
        return AskedAbout((ITSELF, *meant))
    for part, actions in alone.items():
        if action in actions:
            return AskedAbout((part,))
    return AskedAbout((ITSELF,), next((part for part, actions in too.items() if action in actions), None))


def _any(action: str, actions: frozenset[str]) -> bool:
    return any(overlaps(action, one) for one in actions)
