"""AWS's Service Authorization Reference: on which types of resources each action works, and how their ARNs look.

A generated file, as AWS adds actions every week: its head says from what, of which date, and how to renew it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from analysis.iam.patterns import expression

FILE: Final = Path(__file__).with_name("service_authorization.json")


@dataclass(frozen=True, slots=True)
class ResourceType:
    """What an action works on. `needed`: a policy must always allow it on that; else only where a request names it."""

    arn: str
    needed: bool


@dataclass(frozen=True, slots=True)
class Action:
    service: str
    name: str
    types: tuple[ResourceType, ...]

    def __str__(self) -> str:
        return f"{self.service}:{self.name}"


def date() -> str:
    """When the data were last renewed, as 2026-10-27."""
    return str(_data()["date"])


def actions(permission: str) -> list[Action]:
    """Those that `service:Action` names: one, or with `*` and `?` many. Letter case doesn't matter."""
    service, _, name = permission.lower().partition(":")
    found = _actions(service)
    if "*" not in name and "?" not in name:
        return [found[name]] if name in found else []
    named = expression(name)
    return [action for lower, action in found.items() if named.fullmatch(lower)]


def names(service: str) -> list[str]:
    """All actions of a service."""
    return [str(action) for action in _actions(service.lower()).values()]


def arn_formats(service: str) -> Iterator[str]:
    """Of all ARNs of a service, whichever service's actions work on them: `arn:${Partition}:s3:::${BucketName}`."""
    return (arn for arn in _arn_formats() if arn.split(":")[2] == service)


@cache
def _data() -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


@cache
def _arn_formats() -> tuple[str, ...]:
    return tuple(dict.fromkeys(arn for service in _data()["services"].values() for arn in service["types"].values()))


@cache
def _actions(service: str) -> Mapping[str, Action]:
    """By their names in lower case."""
    known = _data()["services"].get(service, {"types": {}, "actions": {}})
    return {
        name.lower(): Action(service, name, tuple(_types(on, known["types"])))
        for on, names in known["actions"].items()
        for name in names
    }


def _types(on: str, arns: Mapping[str, str]) -> Iterator[ResourceType]:
    for name in filter(None, on.split(" | ")):
        yield ResourceType(arns[name.removesuffix("*")], name.endswith("*"))
