"""The loader alone, beside the bare Neo4j driver. Each flag takes a list of numbers, or nothing to skip its part.

A ratio is that of the clock's time, and in brackets that of the CPU time of all processes: this one, Neo4j and Redis.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.loader import deleting, loading, scopes
from benchmarks.loader.meter import Spent
from benchmarks.peer.graph import new_services
from tests.fleet.command import FLEET_KEY
from workers import embedded
from workers.settings import fleet_key


def main() -> int:
    args = _arguments()
    os.environ[fleet_key.VARIABLE] = FLEET_KEY
    with (
        tempfile.TemporaryDirectory(prefix="chartfleet-bench-") as directory,
        new_services(Path(directory)) as services,
    ):
        loading.warm_up(services)
        sizes = [(rows, a_batch) for rows in args.rows for a_batch in args.batches if a_batch <= rows]
        for table in (
            _rows(services, sizes),
            _hub(services, args.hub),
            _deletes(services, args.deletes),
            _scopes(services, args.scopes),
        ):
            for line in table:
                print(line, flush=True)
    return 0


def _rows(services: embedded.Services, sizes: Sequence[tuple[int, int]]) -> Iterator[str]:
    """`again`: the same rows once more, as a share of what they needed when they were new."""
    if sizes:
        yield "| rows | a batch | loader, rows/s | driver, rows/s | ratio | again: loader | driver | cleanup |"
        yield f"|{'---:|' * 8}"
    for rows, rows_per_batch in sizes:
        done = loading.measure(services, rows, rows_per_batch)
        new, again = done.new, done.again
        yield (
            f"| {rows:,} | {rows_per_batch:,} | {_per_second(new.loader)} | {_per_second(new.driver)} "
            f"| {_ratio(new.driver, new.loader)} | {_ratio(again.loader, new.loader)} "
            f"| {_ratio(again.driver, new.driver)} | {_ratio(done.cleanup, new.loader)} |"
        )


def _hub(services: embedded.Services, counts: Sequence[int]) -> Iterator[str]:
    if counts:
        yield "| rows | | of one hub, rows/s | without, rows/s | ratio |"
        yield "|---:|---|---:|---:|---:|"
    for rows in counts:
        done = loading.measure_hub(services, rows)
        for name, hub, without in (
            ("loader", done.hub.loader, done.without.loader),
            ("driver", done.hub.driver, done.without.driver),
        ):
            yield f"| {rows:,} | {name} | {_per_second(hub)} | {_per_second(without)} | {_ratio(without, hub)} |"


def _deletes(services: embedded.Services, counts: Sequence[int]) -> Iterator[str]:
    if counts:
        yield "| nodes to delete | loader, nodes/s | bare statement, nodes/s | ratio |"
        yield f"|{'---:|' * 4}"
    for nodes in counts:
        done = deleting.measure(services, nodes)
        loader, bare = done.loader, done.bare
        yield f"| {nodes:,} | {_per_second(loader)} | {_per_second(bare)} | {_ratio(bare, loader)} |"


def _scopes(services: embedded.Services, counts: Sequence[int]) -> Iterator[str]:
    if counts:
        yield "| scopes | each holds | ms of the clock: drain | coverage | ms of the loader's CPU: drain | coverage |"
        yield "|---:|---|---:|---:|---:|---:|"
    for count in counts:
        for holds, cost in scopes.measure(services, count).items():
            seconds = (cost.drain.clock, cost.coverage.clock, cost.drain.own_cpu, cost.coverage.own_cpu)
            yield f"| {count:,} | {holds} | {' | '.join(f'{each * 1000:.2f}' for each in seconds)} |"


def _per_second(one: Spent) -> str:
    return f"{1 / one.clock:,.0f}"


def _ratio(one: Spent, other: Spent) -> str:
    return f"{one.clock / other.clock:.0%} ({one.cpu / other.cpu:.0%})"


def _numbers(text: str) -> list[int]:
    """`10000,100000`."""
    return [int(word) for word in text.split(",") if word]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.loader", description=__doc__)
    for flag, default, meaning in (
        ("--rows", "10000,100000", "rows that are loaded, twice"),
        ("--batches", "100,1000,10000", "rows in each batch that waits for the loader"),
        ("--hub", "100000", "rows that are attached to one node"),
        ("--deletes", "100000", "nodes that are no longer listed"),
        ("--scopes", "5000", "scopes that hold a node, or nothing"),
    ):
        parser.add_argument(flag, type=_numbers, default=_numbers(default), help=f"{meaning} (default: {default})")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
