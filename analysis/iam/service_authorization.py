"""AWS's Service Authorization Reference: the resource types that each action works on, and the formats of their ARNs.

The data is a generated file, because AWS adds actions every week. Its head has its source, date, and how to renew it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, TypedDict

from analysis.iam.patterns import expression

FILE: Final = Path(__file__).with_name("service_authorization.json")


class _Service(TypedDict):
    """`types`: ARN formats by resource type. `actions`: names of actions by the types that they work on."""

    types: dict[str, str]
    actions: dict[str, list[str]]


class _Data(TypedDict):
    date: str
    services: dict[str, _Service]


@dataclass(frozen=True, slots=True)
class ResourceType:
    """What an action works on. `needed`: policies must always allow it on that, not only if a request names it."""

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
    """When the data was last renewed, as 2026-10-27."""
    return _data()["date"]


def actions(permission: str) -> list[Action]:
    """The actions that `service:Action` matches: one, or several with `*` and `?`. Letter case doesn't matter."""
    service, _, name = permission.lower().partition(":")
    known = _actions(service)
    if "*" not in name and "?" not in name:
        return [known[name]] if name in known else []
    matching = expression(name)
    return [action for lower, action in known.items() if matching.fullmatch(lower)]


def names(service: str) -> list[str]:
    """All actions of a service."""
    return [str(action) for action in _actions(service.lower()).values()]


def services() -> list[str]:
    """The prefixes of all services, such as `s3`."""
    return list(_data()["services"])


def arn_formats(service: str) -> Iterator[str]:
    """ARN formats of a service's resources, as `arn:${Partition}:s3:::${BucketName}`, whichever actions use them."""
    return (arn for arn in _arn_formats() if arn.split(":")[2] == service)


@cache
def _data() -> _Data:
    data: _Data = json.loads(FILE.read_text(encoding="utf-8"))
    return data


@cache
def _arn_formats() -> tuple[str, ...]:
    return tuple(dict.fromkeys(arn for service in _data()["services"].values() for arn in service["types"].values()))


@cache
def _actions(service: str) -> Mapping[str, Action]:
    """By name in lower case."""
    nothing: _Service = {"types": {}, "actions": {}}
    known = _data()["services"].get(service, nothing)
    return {
        name.lower(): Action(service, name, tuple(_types(on, known["types"])))
        for on, names in known["actions"].items()
        for name in names
    }


def _types(on: str, arns: Mapping[str, str]) -> Iterator[ResourceType]:
    for name in filter(None, on.split(" | ")):
        yield ResourceType(arns[name.removesuffix("*")], name.endswith("*"))
