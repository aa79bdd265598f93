"""Who works there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tests.servers.company.organization import Organization

_KNOWN = (("Ada", "Lovelace"), ("Grace", "Hopper"), ("Alan", "Turing"), ("Radia", "Perlman"))


@dataclass(frozen=True)
class Person:
    number: int
    first: str
    last: str
    works_at: Organization

    @property
    def email(self) -> str:
        return f"{self.login}@{self.works_at.domain}"

    @property
    def login(self) -> str:
        return self.first.lower()


@dataclass(frozen=True)
class People:
    """The first four have names; the others are numbered."""

    organization: Organization
    count: int

    def __iter__(self) -> Iterator[Person]:
        return (self[number] for number in range(self.count))

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, number: int) -> Person:
        first, last = _KNOWN[number] if number < len(_KNOWN) else (f"Person{number}", "Doe")
        return Person(number, first, last, self.organization)
