"""Estates that show what a rule finds: the samples of the types that it rests on, changed here and there.

Of each rule a file under tests/rules: `resource`, the key of what it is about; `found` and `clean`, what to change in
the samples, by type, call and path (`0/DBInstances/0/StorageEncrypted`; null: remove it; a slash in a name is ~1, as in
JSON Pointer); `needs`, types beside those that it reads. Estates that change no type in different ways share a run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from analysis.findings.rule import Rule
from tasks.engine import registry
from tests.contract.samples import sample
from tests.contract.stand_in import Responses

EXAMPLES: Final = Path(__file__).parents[1] / "rules"
Changes = Mapping[str, Mapping[str, Mapping[str, Any]]]  # type -> call -> path -> value


@dataclass(frozen=True, slots=True, kw_only=True)
class Estate:
    """What a rule is judged on, and whether it finds the resource there."""

    rule: Rule
    resource: str
    found: bool
    types: frozenset[str]
    changes: Changes

    def __str__(self) -> str:
        return f"{self.rule.id}: {'found' if self.found else 'clean'}"

    def responses(self) -> dict[str, Responses]:
        """By type."""
        return {type_: changed(type_, self.changes.get(type_, {})) for type_ in sorted(self.types)}


@cache
def examples() -> Mapping[str, Mapping[str, Any]]:
    """The files, by the id of their rule."""
    return {file.stem: yaml.safe_load(file.read_text()) for file in sorted(EXAMPLES.rglob("*.yaml"))}


def estates_of(rule: Rule) -> list[Estate]:
    """One where it finds something, and one where it doesn't."""
    example = examples()[rule.id]
    types = frozenset((*rule.reads, *example.get("needs", ())))
    return [
        Estate(rule=rule, resource=example["resource"], found=found, types=types, changes=example[name] or {})
        for name, found in (("found", True), ("clean", False))
    ]


def changed(type_name: str, changes: Mapping[str, Mapping[str, Any]]) -> Responses:
    """The sample with other values."""
    responses = deepcopy(sample(registry.types()[type_name]))
    for call, values in changes.items():
        for path, value in values.items():
            if not path:
                responses[call] = value
                continue
            *way, last = (step.replace("~1", "/") for step in path.split("/"))
            place: Any = responses[call]
            for step in way:
                place = place[int(step)] if isinstance(place, list) else place[step]
            _set(place, last, value)
    return responses


def _set(place: Any, name: str, value: Any) -> None:
    if isinstance(place, list):
        number = int(name)
        place[number : number + 1] = [] if value is None else [value]
    elif value is None:
        place.pop(name, None)
    else:
        place[name] = value


def together(estates: Iterable[Estate]) -> list[Sequence[Estate]]:
    """Groups of estates that don't contradict each other: one run loads a group."""
    groups: list[tuple[dict[str, Mapping[str, Any]], list[Estate]]] = []
    for estate in estates:
        wanted = {type_: estate.changes.get(type_, {}) for type_ in estate.types}
        group = next((group for group in groups if _agree(group[0], wanted)), None)
        if group is None:
            groups.append(group := ({}, []))
        group[0].update(wanted)
        group[1].append(estate)
    return [estates for _, estates in groups]


def _agree(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    return all(one[type_] == other[type_] for type_ in one.keys() & other.keys())
