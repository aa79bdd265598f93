"""Rows that are new, the same rows again, and rows of a hub."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.loader.interfaces import Interfaces
from benchmarks.loader.meter import Spent
from benchmarks.loader.sides import ByDriver, ByLoader, Place, Side, emptied, race
from workers import embedded

LOADER: Final = Interfaces(account="111111111111")
DRIVER: Final = Interfaces(account="222222222222")
LOADER_HUB: Final = Interfaces(account="333333333333", hub=True)
DRIVER_HUB: Final = Interfaces(account="444444444444", hub=True)
ROWS_PER_BATCH: Final = 1_000  # as a fetch pushes them, unless it is set otherwise
_WARM_UP_ROWS: Final = 30_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """What the loader needs for a row, and what the driver does."""

    loader: Spent
    driver: Spent


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """`again`: the same rows in the next run. `cleanup`: a row's part of the cleanup that follows it."""

    new: Pair
    again: Pair
    cleanup: Spent


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """Rows that all are of one group, and of a group for each hundred."""

    hub: Pair
    without: Pair


def warm_up(services: embedded.Services) -> None:
    """Java has compiled what loads and cleans rows, and the plans are made."""
    measure(services, _WARM_UP_ROWS, ROWS_PER_BATCH)


def measure(services: embedded.Services, rows: int, rows_per_batch: int) -> Loaded:
    batches = [list(of.batches(rows, rows_per_batch)) for of in (LOADER, DRIVER)]
    with emptied(services) as place:
        new, _ = _run(place, batches, rows_per_batch)
        again, cleanup = _run(place, batches, rows_per_batch)
    return Loaded(new=new, again=again, cleanup=cleanup / rows)


def _run(place: Place, batches: Sequence[Sequence[bytes]], rows_per_batch: int) -> tuple[Pair, Spent]:
    """A row, and the cleanup of all."""
    run = place.sync.start([LOADER.scope])
    by_loader, by_driver = ByLoader(run, LOADER), ByDriver(place.session, DRIVER, run.tag)
    loader, driver = race(place, [by_loader, by_driver], batches, rows_per_batch)
    by_loader.end()
    return Pair(loader=loader, driver=driver), place.meter.measure(by_loader.load)


def measure_hub(services: embedded.Services, rows: int) -> Hub:
    batches = [list(of.batches(rows, ROWS_PER_BATCH)) for of in (LOADER, DRIVER, LOADER_HUB, DRIVER_HUB)]
    with emptied(services) as place:
        run = place.sync.start([LOADER.scope, LOADER_HUB.scope])
        sides: list[Side] = [
            ByLoader(run, LOADER),
            ByDriver(place.session, DRIVER, run.tag),
            ByLoader(run, LOADER_HUB),
            ByDriver(place.session, DRIVER_HUB, run.tag),
        ]
        loader, driver, loader_hub, driver_hub = race(place, sides, batches, ROWS_PER_BATCH)
    return Hub(
        hub=Pair(loader=loader_hub, driver=driver_hub),
        without=Pair(loader=loader, driver=driver),
    )
