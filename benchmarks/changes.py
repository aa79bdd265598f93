"""What recording changes costs the loader: python -m benchmarks.changes

Two scopes of as many rows, loaded in turns by one writer into one Neo4j: one by a loader that records what changes, one
by a loader that doesn't. Only the ratios of one run count.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from benchmarks.loader import loading
from benchmarks.loader.interfaces import Interfaces
from benchmarks.loader.meter import Spent
from benchmarks.loader.sides import ByLoader, Place, emptied, race
from benchmarks.peer.graph import new_services
from loaders import batch, coverage
from loaders.batch import Row
from loaders.loader import Loader
from loaders.pages import pages
from tasks.engine import registry
from tests.fleet.command import FLEET_KEY
from tests.integration.runs import Run
from workers import embedded
from workers.settings import fleet_key

RECORDED: Final = Interfaces(account="111111111111")
UNRECORDED: Final = Interfaces(account="222222222222")
SIDES: Final = (RECORDED, UNRECORDED)
CHANGED_SHARE: Final = 100  # one row in so many


class BySwitchedLoader(ByLoader):
    """The run's loader records, or doesn't, for as long as this side loads."""

    def __init__(self, run: Run, interfaces: Interfaces, *, records_changes: bool) -> None:
        super().__init__(run, interfaces)
        self._loader = Loader(run.loader._graph, registry.schema(), records_changes=records_changes)

    def load(self) -> None:
        self._run.loader = self._loader
        super().load()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.changes", description=__doc__)
    parser.add_argument("--rows", type=int, default=40_000, help="rows of each scope (default: 40000)")
    rows: int = parser.parse_args().rows
    os.environ[fleet_key.VARIABLE] = FLEET_KEY
    with (
        tempfile.TemporaryDirectory(prefix="chartfleet-bench-") as directory,
        new_services(Path(directory)) as services,
    ):
        loading.warm_up(services)
        print("| rows | | recorded, rows/s | not recorded, rows/s | recording costs: clock | CPU |")
        print("|---:|---|---:|---:|---:|---:|")
        for name, (recorded, without) in measure(services, rows).items():
            clock, cpu = recorded.clock / without.clock - 1, recorded.cpu / without.cpu - 1
            speeds = f"{1 / recorded.clock:,.0f} | {1 / without.clock:,.0f}"
            print(f"| {rows:,} | {name} | {speeds} | {clock:+.1%} | {cpu:+.1%} |", flush=True)
    return 0


def measure(services: embedded.Services, rows: int) -> dict[str, tuple[Spent, Spent]]:
    """What a row needs with recording and without, by what the rows are."""
    with emptied(services) as place:
        return {
            "new, in a new scope": _run(place, rows, lambda _, row: row),
            "unchanged": _run(place, rows, lambda _, row: row),
            "1% changed": _run(place, rows, _changed),
        }


def _changed(number: int, row: Row) -> Row:
    return row if number % CHANGED_SHARE else row | {"p": row["p"] | {"source_dest_check": False}}


def _run(place: Place, rows: int, as_now: Callable[[int, Row], Row]) -> tuple[Spent, Spent]:
    run = place.sync.start([of.scope for of in SIDES])
    sides = [BySwitchedLoader(run, of, records_changes=of is RECORDED) for of in SIDES]
    batches = [_batches([as_now(number, of.row(number)) for number in range(rows)]) for of in SIDES]
    recorded, without = race(place, sides, batches, loading.ROWS_PER_BATCH)
    for side in sides:
        side.end()
        side.load()
    info = run.ledger.info()
    assert info is not None
    coverage.write(place.sync.writer, info, run.ledger.proven_units(), now_ms=run.ledger.now_ms())
    return recorded, without


def _batches(rows: Sequence[Row]) -> list[bytes]:
    return [batch.compress([batch.pack(row) for row in page]) for page in pages(rows, loading.ROWS_PER_BATCH)]


if __name__ == "__main__":
    sys.exit(main())
