"""A policy document as botocore decodes it: its statements, in any of the forms in which JSON allows them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

MAX_SID_LENGTH: Final = 1_000  # IAM sets no limit, and an index doesn't take an id of 8 kB


def statements(document: Any) -> list[Mapping[str, Any]]:
    """Every statement; a single one may stand without a list. Raises ValueError, also for text that is not JSON."""
    if not isinstance(document, Mapping) or "Statement" not in document:
        raise ValueError("the policy is not a JSON object with a Statement")
    found = listed(document["Statement"])
    if not all(isinstance(statement, Mapping) for statement in found):
        raise ValueError("a statement of the policy is not a JSON object")
    return found


def listed(value: Any) -> list[Any]:
    """A value that may be a list or a single element, as a list; empty where it is absent."""
    return value if isinstance(value, list) else [] if value is None else [value]


def element_list(statement: Mapping[str, Any], element: str) -> list[str] | None:
    """An element of a statement, such as Action, as a list; None where the statement doesn't have it."""
    return listed(statement[element]) if element in statement else None


def sid_in_id(sid: str) -> str:
    """A Sid as part of an id: whole, except for very long generated ones."""
    if len(sid) <= MAX_SID_LENGTH:
        return sid
    return f"{sid[:100]}...{hashlib.sha256(sid.encode(errors='replace')).hexdigest()}"


def language_version(document: Any) -> str | None:
    """The version of the policy language; 2008-10-17 where the document names none. None: not a policy."""
    return (document.get("Version") or "2008-10-17") if isinstance(document, Mapping) else None
