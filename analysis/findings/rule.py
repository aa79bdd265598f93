"""A rule: a question to the graph whose results are findings, and what it rests on."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from loaders.scope import provider_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Severity(StrEnum):
    """How bad a finding is, the worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"

    @cached_property
    def rank(self) -> int:
        """0 is the worst."""
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One file of the rules.

    reads       the resource types without which it can't be judged
    query       Cypher that only reads; each row is a finding: `resource`, a node that a resource type owns; optionally
                `path`, what proves it, and `detail`, a text. Rows of one resource are one finding
    unknown     Cypher of the same kind for resources that can't be judged: `resource` and `why`
    why, fix    what a finding means, and how to remedy it
    frameworks  numbers of controls that it covers, by framework
    own         a user's, not one of those that come with Chartfleet
    """

    id: str
    title: str
    severity: Severity
    reads: tuple[str, ...]
    query: str
    why: str
    fix: str
    unknown: str = ""
    references: tuple[str, ...] = ()
    frameworks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    file: Path
    own: bool = False

    def __str__(self) -> str:
        return f"rule {self.id} ({self.file})"

    @property
    def providers(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(map(provider_of, self.reads)))
