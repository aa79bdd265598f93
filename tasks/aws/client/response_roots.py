"""Whose response is it? botocore reads XML of S3 with any root element: another operation's response, without contents.

A bucket would have no grants, say, and those that the graph has would be deleted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from botocore.model import Shape, StructureShape
from botocore.parsers import ResponseParserError

# By the output of the operation, from the examples in S3's API reference.
_ROOTS: Final = {
    "GetBucketAclOutput": "AccessControlPolicy",
    "GetBucketEncryptionOutput": "ServerSideEncryptionConfiguration",
    "GetBucketLocationOutput": "LocationConstraint",
    "GetBucketLoggingOutput": "BucketLoggingStatus",
    "GetBucketOwnershipControlsOutput": "OwnershipControls",
    "GetBucketVersioningOutput": "VersioningConfiguration",
    "GetPublicAccessBlockOutput": "PublicAccessBlockConfiguration",
    "ListBucketsOutput": "ListAllMyBucketsResult",
}
_KNOWN: Final = frozenset(_ROOTS.values())
_ROOT: Final = re.compile(rb"\s*(?:<\?[^>]{0,200}\?>\s*)?<(?:\w{1,64}:)?(\w{1,64})")
_OK: Final = 300


def check_root(response: Mapping[str, Any], shape: Shape | None) -> None:
    """Raises ResponseParserError for a response to another operation of S3."""
    if not isinstance(shape, StructureShape) or response["status_code"] >= _OK or shape.name not in _CHECKED:
        return
    body: bytes = response["body"]
    root = match[1].decode() if (match := _ROOT.match(body)) else ""
    if root in _KNOWN and root != _ROOTS.get(shape.name):
        raise ResponseParserError(f"the response is not a {shape.name}, but a {root}")


_CHECKED: Final = _ROOTS.keys() | {"GetBucketPolicyOutput"}  # a policy is JSON
