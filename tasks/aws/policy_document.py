"""A policy document as botocore decodes it: its statements, in whichever of its forms it was written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


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


def language_version(document: Any) -> str | None:
    """Of the policy language; a document that names none is of the first. None: it is no policy."""
    return (document.get("Version") or "2008-10-17") if isinstance(document, Mapping) else None
