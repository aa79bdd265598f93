"""What a benchmark measures: cells of an estate and a latency, and in each the tools and their scenarios."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

from benchmarks.peer.estate import Size
from benchmarks.peer.session import Scenario, Wanted
from benchmarks.peer.tools import Cartography, Chartfleet

FETCH_PROCESSES: Final = (1, 2, 4)
USUAL: Final = 2  # fetch processes, in the scenarios that are measured once only


@dataclass(frozen=True, slots=True)
class Cell:
    """One session, written 5x3:80."""

    size: Size
    latency_ms: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError."""
        size, _, latency_ms = text.partition(":")
        return cls(Size.parse(size), int(latency_ms))

    def __str__(self) -> str:
        return f"{self.size}:{self.latency_ms}"


ALL: Final = tuple(Cell.parse(f"{size}:{ms}") for size in ("1x2", "5x3", "20x3") for ms in (0, 80, 200))
QUICK: Final = Cell.parse("1x2:80")
# Where more than a first run is measured: what a first run leaves to a second doesn't depend on the latency.
_WITH_ALL_SCENARIOS: Final = Cell.parse("5x3:80")


def wanted(cell: Cell, *, quick: bool, peer: bool, chosen: frozenset[Scenario] | None = None) -> list[Wanted]:
    """`chosen`: scenarios of the peer and of the usual number of fetch processes, instead of what the cell is for."""
    first = frozenset({Scenario.EMPTY})
    if quick:
        ours = [Wanted(Chartfleet(USUAL), first)]
    else:
        usual = chosen or (frozenset(Scenario) if cell == _WITH_ALL_SCENARIOS else first)
        ours = [Wanted(Chartfleet(number), usual if number == USUAL else first) for number in FETCH_PROCESSES]
    scenarios = next(one.scenarios for one in ours if one.tool == Chartfleet(USUAL))
    return [Wanted(Cartography(), scenarios), *ours] if peer else ours


def scenarios(text: str) -> frozenset[Scenario]:
    """`empty,fresh`. Raises KeyError."""
    return frozenset(Scenario[name.upper()] for name in text.split(","))


def cells(text: str) -> Sequence[Cell]:
    """`5x3:80,20x3:80`. Raises ValueError."""
    return [Cell.parse(part) for part in text.split(",")]
