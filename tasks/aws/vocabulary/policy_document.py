"""A policy document as botocore decodes it: its statements, in whichever of its forms it was written."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

LONGEST_SID: Final = 1_000  # IAM sets no limit, and an id of 8 kB is more than an index takes


def statements(document: Any) -> list[Mapping[str, Any]]:
    """Every statement; a single one may stand without a list. Raises ValueError, also of text that is no JSON."""
    if not isinstance(document, Mapping) or "Statement" not in document:
        raise ValueError("the policy is no JSON object with a Statement")
    found = listed(document["Statement"])
    if not all(isinstance(statement, Mapping) for statement in found):
        raise ValueError("a statement of the policy is no JSON object")
    return found


def listed(value: Any) -> list[Any]:
    """What may stand alone or in a list, as a list; an empty one where it is absent."""
    return value if isinstance(value, list) else [] if value is None else [value]


def sid_in_id(sid: str) -> str:
    """A Sid as ids hold it: whole, but for those that nobody writes by hand."""
    if len(sid) <= LONGEST_SID:
        return sid
    return f"{sid[:100]}...{hashlib.sha256(sid.encode(errors='replace')).hexdigest()}"


def language_version(document: Any) -> str | None:
    """Of the policy language; a document that names none is of the first. None: it is no policy."""
    return (document.get("Version") or "2008-10-17") if isinstance(document, Mapping) else None
