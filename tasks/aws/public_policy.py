"""What a resource's policy lets anybody do, by policyuniverse, with what it misses put right.

It takes any condition on who calls for a limit. Some let anybody through all the same: operators that are true where
the request doesn't say who calls (`...IfExists`, `ForAllValues:`), values that fit everybody. And it finds no action
in a statement that names all but some (`NotAction`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from policyuniverse.statement import Statement

from tasks.aws.policy_document import listed
from tasks.ip_range import is_wide


def anonymous_actions(document: str, service: str) -> list[str]:
    """The actions that anybody may call, sorted: `<service>:*` for a statement that allows all but some."""
    found: set[str] = set()
    for statement in listed(json.loads(document).get("Statement")):
        limited = Statement(statement | {"Condition": dict(_limits(statement.get("Condition") or {}))})
        if limited.is_internet_accessible():
            found |= limited.actions if "Action" in statement else {f"{service}:*"}
    return sorted(found)


def anonymous_actions_of(answer: Mapping[str, Any] | None, service: str) -> list[str] | None:
    """The same of the answer to a call for a policy: [] without one, None where it could not be read."""
    if answer is None:
        return None
    return anonymous_actions(answer["Policy"], service) if answer else []


def _limits(condition: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, dict[str, list[str]]]]:
    """The part of a condition that keeps anybody out."""
    for operator, keys in condition.items():
        plain = operator.lower()
        if plain.endswith("ifexists") or plain.startswith("forallvalues:"):
            continue
        values = {key: [str(value) for value in listed(found)] for key, found in keys.items()}
        limiting = {key: found for key, found in values.items() if not any(_fits_everybody(plain, v) for v in found)}
        if limiting:
            yield operator, limiting


def _fits_everybody(operator: str, value: str) -> bool:
    if operator.endswith("ipaddress"):
        return is_wide(value)
    return operator.endswith("like") and set(value) == {"*"}
