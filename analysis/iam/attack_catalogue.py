"""The catalogue of ways in which a principal gains the permissions of another: `attack_ways.yaml`, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

FILE: Final = Path(__file__).with_name("attack_ways.yaml")
LEFT_OUT: Final = Path(__file__).with_name("attack_ways_left_out.yaml")
NEW: Final = "new"


class Start(Enum):
    """Whom or what a way begins with."""

    SELF = "self"
    OWN_GROUP = "own group"
    OWN_POLICY = "own policy"
    GROUP = "group"
    USER = "user"
    ROLE = "role"
    ROLE_WITH_POLICY = "role with policy"
    PASSABLE_ROLE = "passable role"
    FUNCTION = "function"
    INSTANCE = "instance"


@dataclass(frozen=True, slots=True)
class Requirement:
    """`on`: a thing of the start by its name; `new`; or the format of an ARN."""

    action: str
    on: str


@dataclass(frozen=True, slots=True)
class Way:
    """A way to gain permissions; the head of the file says what its fields mean.

    actor   the label of the principals that it is open to; None: users and roles
    needs   what the start must have as well
    """

    id: str
    title: str
    start: Start
    any_permissions: bool
    requires: tuple[Requirement, ...]
    actor: str | None = None
    needs: str | None = None
    services: tuple[str, ...] = ()
    by_itself: tuple[str, ...] = ()
    assumes: tuple[str, ...] = ()

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Way:
        requires = (
            Requirement(action, on)
            for action, things in entry["requires"].items()
            for on in (things if isinstance(things, list) else [things])
        )
        return cls(
            id=entry["id"],
            title=entry["title"],
            start=Start(entry["start"]),
            any_permissions={"permissions": False, "any permissions": True}[entry["gives"]],
            requires=tuple(requires),
            actor=entry.get("actor"),
            needs=entry.get("with"),
            services=tuple(entry.get("services", ())),
            by_itself=tuple(entry.get("by_itself", ())),
            assumes=tuple(entry.get("assumes", ())),
        )

    @property
    def new(self) -> tuple[str, ...]:
        """The actions on what the actor names or creates."""
        return tuple(requirement.action for requirement in self.requires if requirement.on == NEW)


@cache
def ways() -> tuple[Way, ...]:
    return tuple(map(Way.of, yaml.safe_load(FILE.read_text(encoding="utf-8"))))


@cache
def left_out() -> Mapping[str, str]:
    """By id, why a way of the same catalogue isn't evaluated."""
    reasons: Mapping[str, str] = yaml.safe_load(LEFT_OUT.read_text(encoding="utf-8"))
    return reasons
