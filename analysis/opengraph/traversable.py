"""Which relationships lead somebody from one thing to another: `traversable.yaml`, and those of permission rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

if TYPE_CHECKING:
    from analysis.job import Job
    from loaders.schema import GraphSchema

FILE: Final = Path(__file__).with_name("traversable.yaml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Traversable:
    """Relationships of one type; the head of the file says what its fields mean."""

    start: str
    type: str
    end: str
    kind: str
    gives: str
    reversed: bool = False

    @property
    def written(self) -> tuple[str, str, str]:
        """As the graph has it: the label that it leads from, its type, the label that it leads to."""
        return (self.end, self.type, self.start) if self.reversed else (self.start, self.type, self.end)


@cache
def declared() -> tuple[Traversable, ...]:
    entries: list[Mapping[str, Any]] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return tuple(
        Traversable(
            start=entry["from"],
            type=type_,
            end=entry["to"],
            kind=entry.get("kind", type_),
            gives=entry["gives"],
            reversed=entry.get("reversed", False),
        )
        for entry in entries
        for type_ in entry["types"]
    )


def of_permissions(job: Job) -> list[Traversable]:
    """The relationships of permission rules: what users, roles and groups may do to resources."""
    return [
        Traversable(
            start=start, type=type_, end=end, kind=type_, gives="`permissions` on it, under `conditions` if any"
        )
        for start, type_, end in job.writes_relationships
    ]


def rests_on(relationships: Iterable[Traversable], schema: GraphSchema, jobs: Iterable[Job]) -> Sequence[str]:
    """The resource types that load the ends, and those that the jobs read which write the relationships."""
    wanted = list(relationships)
    types = set(schema.types_of({label for one in wanted for label in (one.start, one.end)}))
    written = {one.written for one in wanted}
    for job in jobs:
        if not written.isdisjoint(job.writes_relationships):
            types |= set(job.reads)
    return sorted(types)
