"""AWS's evaluation of one request, statement by statement, and what the conditions of an edge say of it.

Written apart from `analysis`, so that both can be compared.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any


@dataclass(frozen=True)
class Request:
    """`true`: the conditions that hold for it; no others do."""

    action: str
    resource: str
    true: list[Any]


def is_allowed(request: Request, own: list[dict[str, Any]], boundary: list[dict[str, Any]] | None) -> bool:
    if any(_applies(one, request) and one["effect"] == "Deny" for one in [*own, *(boundary or [])]):
        return False
    policies = [own] if boundary is None else [own, boundary]
    return all(any(_applies(one, request) and one["effect"] == "Allow" for one in policy) for policy in policies)


def _applies(statement: dict[str, Any], request: Request) -> bool:
    action = request.action.lower()
    if statement["action"] is not None:
        names_action = any(fnmatchcase(action, word.lower()) for word in statement["action"])
    else:
        names_action = not any(fnmatchcase(action, word.lower()) for word in statement["notaction"])
    if statement["resource"] is not None:
        names_resource = any(fnmatchcase(request.resource, word) for word in statement["resource"])
    else:
        names_resource = not any(fnmatchcase(request.resource, word) for word in statement["notresource"])
    condition = json.loads(statement["condition"] or "[]")
    return names_action and names_resource and all(one in request.true for one in condition)


def holds(conditions: dict[str, Any], request: Request) -> bool:
    """Whether an edge with these conditions means the request."""
    if any(_is_true(one, request) for one in conditions.get("unless", [])):
        return False
    ways = conditions.get("any_of", [{}])
    return any(all(any(_is_true(one, request) for one in kind) for kind in way.values()) for way in ways)


def _is_true(condition: dict[str, Any], request: Request) -> bool:
    for name, value in condition.items():
        if name == "Resource":
            true = any(fnmatchcase(request.resource, word) for word in value)
        elif name == "NotResource":
            true = not any(fnmatchcase(request.resource, word) for word in value)
        else:
            true = {name: value} in request.true
        if not true:
            return False
    return True
