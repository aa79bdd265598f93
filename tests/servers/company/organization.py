"""Whose all of it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Organization:
    """`number`: a digit in its ids, so that those of two organizations have nothing in common."""

    name: str
    number: int

    @property
    def domain(self) -> str:
        return f"{self.name}.com"


EXAMPLE: Final = Organization("example", 0)
