"""What an analysis job found, and what it could not see: the verdict, as fields and as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypedDict

LISTED: Final = 5  # scopes not seen that a verdict names; the coverage has them all


class Cause(TypedDict):
    """Why a scope was not seen; `detail` alone where nothing else is known of it."""

    failure: str
    code: str
    action: str
    detail: str


class OwnJob(TypedDict):
    """One of the user's analysis jobs that ran."""

    name: str
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Finding:
    """The verdict of a job, with what it could not see."""

    job: str
    title: str
    count: int
    examples: list[Any] = field(default_factory=list)
    unknown: int = 0  # neither found nor excluded: their facts could not be read
    unknown_examples: list[Any] = field(default_factory=list)  # some of these, each with `why`
    total: int | None = None  # of how many `unknown` are, where the job says so
    scopes: int = 0  # that the job's types have, without those skipped as the settings expect
    not_seen: list[tuple[str, str]] = field(default_factory=list)  # scope, reason
    causes: list[Cause] = field(default_factory=list)  # of each of these, the reason as fields
    details: list[tuple[str, str]] = field(default_factory=list)  # scope, and what was not seen of items that were
    never_seen: list[str] = field(default_factory=list)  # types without any scope that was ever complete
    never_asked: list[str] = field(default_factory=list)  # types without any scope, that it can be judged without
    earlier: int = 0  # scopes that this run did not plan, and of which the graph holds what earlier runs saw
    meaning: str = ""

    @property
    def judged(self) -> bool:
        return not self.never_seen

    def __str__(self) -> str:
        """`2 exposed instances; 2 of 51 scopes not seen: eu-south-1 of 1111 (AccessDenied ec2:DescribeInstances)`.

        It begins with 0 only where that is known.
        """
        text = self.lead
        if self.unknown_examples:
            shown = self.unknown_examples
            more = f" and {self.unknown - len(shown)} more" if self.unknown > len(shown) else ""
            text += f": {', '.join(map(_named, shown))}{more}"
        notes = unseen_notes(self.not_seen, self.scopes, self.details, self.never_asked, self.earlier)
        text += "".join(f"; {note}" for note in notes)
        return text

    @property
    def lead(self) -> str:
        """The number, or that there is none to give; ends with how many are not known, where some aren't."""
        if not self.judged:
            text = f"{self.title} not judged: {', '.join(self.never_seen)} never seen"
            text += f"; {self.count} in what was seen" if self.count else ""
        elif self.count:
            text = f"{self.count} {self.title}"
        elif self.unknown:
            return f"{self.title}: not known for {self.unknown}" + (f" of {self.total}" if self.total else "")
        elif self.not_seen or self.details or self.never_asked:
            text = f"{self.title}: none in what was seen"
        else:
            text = f"0 {self.title}"
        return f"{text}; {self.unknown} not known" if self.unknown else text


def unseen_notes(
    not_seen: Sequence[tuple[str, str]],
    scopes: int,
    details: Sequence[tuple[str, str]],
    never: Sequence[str],
    earlier: int,
) -> Iterator[str]:
    """`2 of 51 scopes not seen: eu-south-1 of 1111 (AccessDenied ec2:DescribeInstances)`, and what else was not."""
    if not_seen:
        yield f"{len(not_seen)} of {scopes} scopes not seen: {_listed(not_seen)}"
    if details:
        yield f"details not seen: {_listed(details)}"
    if never:
        yield f"{', '.join(never)} never seen"
    if earlier:
        yield f"{earlier} {'scope' if earlier == 1 else 'scopes'} as earlier runs saw them"


def _listed(places: Sequence[tuple[str, str]]) -> str:
    named = ", ".join(f"{place} ({reason})" for place, reason in places[:LISTED])
    return named + (f" and {len(places) - LISTED} more" if len(places) > LISTED else "")


def _named(example: Any) -> str:
    """What one of `unknown_examples` is, and why that isn't known."""
    if not isinstance(example, dict):
        return str(example)
    what = " ".join(str(value) for name, value in sorted(example.items()) if name != "why" and value is not None)
    return f"{what} ({example['why']})" if example.get("why") else what
