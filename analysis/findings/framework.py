"""Frameworks whose controls rules cover: what each control asks, and why it isn't covered where no rule does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import yaml

if TYPE_CHECKING:
    from analysis.findings.rule import Rule

FRAMEWORKS: Final = Path(__file__).parents[1] / "frameworks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """title: what it asks, in our own words. uncovered: why no rule covers it, or only in part; "" if one does"""

    number: str
    title: str
    uncovered: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Framework:
    """id: the name of its file, by which rules name it. source: where it is published."""

    id: str
    title: str
    source: str
    controls: tuple[Control, ...]


def load() -> dict[str, Framework]:
    """By id: one YAML file each, `title`, `source`, and `controls`, a list of number, title and uncovered."""
    return {file.stem: _framework(file) for file in sorted(FRAMEWORKS.glob("*.yaml"))}


def covered_by(framework: Framework, rules: Iterable[Rule]) -> Mapping[str, list[Rule]]:
    """The rules of each control, by its number."""
    rules_of: dict[str, list[Rule]] = {control.number: [] for control in framework.controls}
    for rule in rules:
        for number in rule.frameworks.get(framework.id, ()):
            rules_of[number].append(rule)
    return rules_of


def _framework(file: Path) -> Framework:
    fields = yaml.safe_load(file.read_text(encoding="utf-8"))
    controls = tuple(Control(**control) for control in fields["controls"])
    return Framework(id=file.stem, title=fields["title"], source=fields["source"], controls=controls)
