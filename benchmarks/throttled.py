"""An estate whose APIs allow 5 calls a second for each account and service: python -m benchmarks.throttled [--peer]

A proxy before the simulated AWS answers from memory, after a latency, and throttles as AWS does. A first run without a
throttle shows how many calls each account and service needs; a second one is measured, from its first call to its last.
Its ideal is the slowest bucket's: calls beyond the burst, divided by the rate. Prints how many times the ideal it took,
and the share of calls that were throttled, of all and after a warm-up. Exit code 1 if Chartfleet takes more than 1.2
times the ideal, or more than 2 % of its calls after the warm-up are throttled.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

from benchmarks.peer import graph
from benchmarks.peer.estate import Size
from benchmarks.peer.simulation import Simulation, simulated
from benchmarks.peer.throttle import Pace, Throttle
from benchmarks.peer.tools import Cartography, Chartfleet, Failed, Tool, peer_problem
from demo import estate as demo
from workers import embedded

MAX_RATIO: Final = 1.2  # of the ideal
MAX_THROTTLED: Final = 0.02  # of the calls after the warm-up
UNLIMITED: Final = 1e9  # calls a second
# As its documentation has it. Where nothing throttles it has fewer: see tests.peer.cartography.
_PEER: Final = Cartography({"CARTOGRAPHY_AWS_MAX_ATTEMPTS": "10"})


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of a tool under a throttle, beside its run without one."""

    tool: str
    throttle: Throttle
    unthrottled: Pace
    pace: Pace
    nodes: int
    missing_nodes: int  # of those that the run without a throttle wrote
    failure: str = ""  # what the tool said; empty where it ended well

    @property
    def slowest(self) -> str:
        """The bucket that needs the most calls."""
        allowed = self.unthrottled.allowed
        return max(allowed, key=lambda bucket: allowed[bucket])

    @property
    def ideal_seconds(self) -> float:
        return (self.unthrottled.allowed[self.slowest] - self.throttle.burst) / self.throttle.calls_per_second

    @property
    def ratio(self) -> float:
        return self.pace.seconds / self.ideal_seconds

    def row(self, warm_up_seconds: int) -> str:
        shares = (self.pace.throttled_share(after) for after in (0, warm_up_seconds))
        cells = [
            self.tool,
            f"{sum(self.pace.allowed.values()):,}",
            f"{self.ideal_seconds:.0f}",
            f"{self.pace.seconds:.0f}",
            f"{self.ratio:.2f}",
            *(f"{share:.1%}" for share in shares),
            f"{self.missing_nodes:,} of {self.nodes:,}",
        ]
        return f"| {' | '.join(cells)} |"


def main() -> int:
    args = _arguments()
    throttle = Throttle(calls_per_second=args.rate, burst=args.burst, by_region=args.by_region)
    if args.peer and (problem := peer_problem()):
        print(problem, file=sys.stderr)
        return 2
    tools: list[Tool] = [Chartfleet(args.fetch_processes), *([_PEER] if args.peer else [])]
    with _bench(args.size, args.buckets, args.latency_ms / 1000) as bench:
        measured = [bench.measure(tool, throttle) for tool in tools]
    print(f"| tool | calls | ideal s | s | ratio | throttled | after {args.warm_up_seconds} s | nodes missing |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    for one in measured:
        print(one.row(args.warm_up_seconds))
    for one in measured:
        print(f"{one.tool}: most calls: {one.slowest}; by 10 s, calls (throttled): {_by_10_seconds(one.pace)}")
        if one.failure:
            print(f"{one.tool}: {one.failure}")
    ours = measured[0]
    too_many = ours.pace.throttled_share(args.warm_up_seconds) > MAX_THROTTLED
    return int(ours.ratio > MAX_RATIO or too_many or bool(ours.failure))


def _by_10_seconds(pace: Pace) -> str:
    parts = [pace.by_second[start : start + 10] for start in range(0, len(pace.by_second), 10)]
    sums = [(sum(sum(second) for second in part), sum(second[1] for second in part)) for part in parts]
    return " ".join(f"{calls}({throttled})" if throttled else str(calls) for calls, throttled in sums)


@dataclass(frozen=True, slots=True)
class _Bench:
    simulation: Simulation
    services: embedded.Services
    latency_seconds: float

    def measure(self, tool: Tool, throttle: Throttle) -> Measured:
        """Raises Failed if the tool fails without a throttle."""
        unlimited = replace(throttle, calls_per_second=UNLIMITED, burst=UNLIMITED)
        unthrottled, nodes = self._run(tool, unlimited, 0)
        failure = ""
        try:
            pace, found = self._run(tool, throttle, self.latency_seconds)
        except Failed as failed:
            pace, found, failure = self.simulation.proxy.pace(), graph.written(self.services).nodes, str(failed)
        return Measured(tool.name, throttle, unthrottled, pace, nodes, nodes - found, failure)

    def _run(self, tool: Tool, throttle: Throttle, latency_seconds: float) -> tuple[Pace, int]:
        """On an empty graph. Returns how many nodes are in it afterwards."""
        graph.empty(self.services)
        self.simulation.proxy.latency(latency_seconds)
        self.simulation.proxy.throttle(throttle)
        tool.sync(self.simulation.place(self.services))
        return self.simulation.proxy.pace(), graph.written(self.services).nodes


@contextmanager
def _bench(size: Size, buckets: int, latency_seconds: float) -> Iterator[_Bench]:
    """An estate, a proxy before it, and services; all end with the block."""
    with simulated(size) as simulation, graph.new_services(simulation.directory / "services") as services:
        estate = simulation.estate
        for account in estate.accounts:
            demo.grow(estate.endpoint, buckets=buckets, account=account)
        yield _Bench(simulation, services, latency_seconds)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.throttled")
    parser.add_argument("--size", type=Size.parse, default=Size(2, 3), help="accounts x regions")
    parser.add_argument("--buckets", type=int, default=40, help="more buckets in each account: most calls are S3's")
    parser.add_argument("--rate", type=float, default=5, help="calls a second of each account and service")
    parser.add_argument("--burst", type=float, default=10, help="calls at once, after a pause")
    parser.add_argument("--by-region", action="store_true", help="a rate for each region as well, as AWS has them")
    parser.add_argument("--latency-ms", type=int, default=80, help="of each call")
    parser.add_argument("--warm-up-seconds", type=int, default=30)
    parser.add_argument("--fetch-processes", type=int, default=2)
    parser.add_argument("--peer", action="store_true", help="Cartography, too")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
