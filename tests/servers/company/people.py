"""Who works there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

_KNOWN = (("Ada", "Lovelace"), ("Grace", "Hopper"), ("Alan", "Turing"), ("Radia", "Perlman"))


@dataclass(frozen=True)
class Person:
    number: int
    first: str
    last: str

    @property
    def email(self) -> str:
        return f"{self.login}@{People.DOMAIN}"

    @property
    def login(self) -> str:
        return self.first.lower()


@dataclass(frozen=True)
class People:
    """The first four have names; the others are numbered."""

    DOMAIN: ClassVar = "example.com"
    count: int

    def __iter__(self) -> Iterator[Person]:
        return (self[number] for number in range(self.count))

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, number: int) -> Person:
        first, last = _KNOWN[number] if number < len(_KNOWN) else (f"Person{number}", "Doe")
        return Person(number, first, last)
