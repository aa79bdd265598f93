"""How the steps after loading grow with the graph: python -m benchmarks.graph_growth [--nodes 10000,100000]

Fills a new graph of each size with a synthetic estate, and takes all steps of a run on it: the cleanup of each type,
the barrier's steps, each link and each analysis job. Measured are three passes: the first, for which Neo4j makes its
plans; a later one, which changes nothing; and one that writes every link anew. For each step an exponent is fitted: of
the number of nodes, by which its time grows. Prints the slowest steps, those whose exponent is above 1.2, and faults in
the plans of all statements that ran. Exit code 1 if there are any of the latter two.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import linear_regression
from typing import Final

from benchmarks.graph_growth import plans
from benchmarks.graph_growth.fill import fill
from benchmarks.graph_growth.recording import RecordingGraph
from benchmarks.graph_growth.steps import steps
from benchmarks.peer.graph import new_services
from loaders.schema import GraphSchema
from loaders.scope import Scope
from tasks.engine import registry

MAX_EXPONENT: Final = 1.2
MIN_SECONDS: Final = 0.5  # of a step in the largest graph: what takes less says nothing about its growth
SLOWEST: Final = 15
_NOT_PLANNED: Final = ("CREATE INDEX", "CREATE CONSTRAINT", "DROP", "SHOW", "CALL db.")
# What the barrier and its jobs have drawn; rows, and with them an owner, have all others.
_ERASE: Final = "MATCH ()-[e]->() WHERE e._scope IS NULL AND type(e) <> 'COVERED' CALL (e) { DELETE e } IN TRANSACTIONS"


@dataclass(frozen=True, slots=True)
class Growth:
    """Seconds of each step in a graph of so many nodes; of later passes the shorter of two."""

    nodes: int
    first: Mapping[str, float]
    again: Mapping[str, float]
    anew: Mapping[str, float]


def main() -> int:
    args = _arguments()
    schema = registry.schema()
    measured: list[Growth] = []
    faults: dict[str, list[str]] = {}
    for nodes in args.nodes:
        with (
            tempfile.TemporaryDirectory(prefix="chartfleet-bench-") as directory,
            new_services(Path(directory)) as services,
            closing(RecordingGraph.at(services.graph)) as graph,
        ):
            _say(f"{nodes:,} nodes")
            measured.append(_measure(graph, schema, nodes, one_tenant=args.one_tenant))
            if nodes == max(args.nodes):
                _say("  plans")
                faults = _faults(graph)
    too_fast = _print(measured)
    for statement, found in faults.items():
        print(f"\n{'; '.join(found)}\n{statement}")
    print(f"\n{len(faults)} statements with faults in their plans, {too_fast} with an exponent above {MAX_EXPONENT}")
    return int(bool(faults or too_fast))


def _measure(graph: RecordingGraph, schema: GraphSchema, nodes: int, *, one_tenant: bool) -> Growth:
    start = time.monotonic()
    scopes = fill(graph, schema, nodes, one_tenant=one_tenant)
    (row,) = graph.rows("MATCH (n) RETURN count(n) AS nodes")
    _say(f"  filled in {time.monotonic() - start:.0f} s, {row['nodes']:,} nodes with {len(scopes):,} scopes")
    graph.statements.clear()
    runs = count(1)

    def taken(what: str) -> Mapping[str, float]:
        seconds = _pass(graph, schema, scopes, f"{next(runs)}-bench")
        _say(f"  {what}: {sum(seconds.values()):.1f} s")
        return seconds

    first = taken("first")
    taken("second, as some is planned again")
    again = _shortest(taken("again"), taken("again"))
    anew: Mapping[str, float] = {}
    for _ in range(2):
        graph.autocommit(_ERASE)
        anew = _shortest(taken("anew"), anew)
    return Growth(row["nodes"], first, again, anew)


def _shortest(one: Mapping[str, float], other: Mapping[str, float]) -> Mapping[str, float]:
    return {name: min(seconds, other.get(name, seconds)) for name, seconds in one.items()}


def _pass(graph: RecordingGraph, schema: GraphSchema, scopes: Sequence[Scope], run: str) -> dict[str, float]:
    seconds: dict[str, float] = {}
    for name, step in steps(graph, schema, scopes, run):
        start = time.monotonic()
        step()
        seconds[name] = time.monotonic() - start
    return seconds


def _faults(graph: RecordingGraph) -> dict[str, list[str]]:
    """By statement, of all that ran."""
    indexed = plans.indexed(graph)
    found = {
        statement: list(plans.faults(plans.Operator.of(graph.explain(statement, parameters)), indexed))
        for statement, parameters in dict(graph.statements).items()
        if not statement.lstrip().startswith(_NOT_PLANNED)
    }
    return {statement: faults for statement, faults in found.items() if faults}


def _print(measured: Sequence[Growth]) -> int:
    """Returns how many steps grow too fast."""
    largest = measured[-1]
    too_fast = 0
    for what in ("first", "again", "anew"):
        passes: list[Mapping[str, float]] = [getattr(growth, what) for growth in measured]
        rows = [(name, _exponent(measured, passes, name), seconds) for name, seconds in passes[-1].items()]
        rows.sort(key=lambda row: -row[2])
        print(f"\n{what}: {sum(passes[-1].values()):.1f} s with {largest.nodes:,} nodes")
        for rank, (name, exponent, seconds) in enumerate(rows):
            is_too_fast = exponent is not None and exponent > MAX_EXPONENT and seconds > MIN_SECONDS
            too_fast += is_too_fast
            if rank < SLOWEST or is_too_fast:
                times = " ".join(f"{one.get(name, 0):8.2f}" for one in passes)
                print(f"  {times} s  {'     ' if exponent is None else f'^{exponent:4.2f}'} {name}")
    return too_fast


def _exponent(measured: Sequence[Growth], passes: Sequence[Mapping[str, float]], name: str) -> float | None:
    """The slope of the least squares of log seconds over log nodes; None with one size."""
    points = [(growth.nodes, one[name]) for growth, one in zip(measured, passes, strict=True) if one.get(name)]
    if len(points) < 2:
        return None
    return linear_regression(*zip(*((math.log(nodes), math.log(s)) for nodes, s in points), strict=True)).slope


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.graph_growth")
    parser.add_argument(
        "--nodes",
        type=lambda text: sorted(int(part) for part in text.split(",")),
        default=[10_000, 100_000],
        help="sizes, such as 10000,100000,1000000: the last needs minutes and 4 GB",
    )
    parser.add_argument("--one-tenant", action="store_true", help="of each provider, however many nodes there are")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
