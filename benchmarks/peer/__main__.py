"""`make bench`: measures cell after cell, and writes benchmarks/RESULTS.md after each."""

from __future__ import annotations

import argparse
import sys

from benchmarks.peer import page, plan, results, session, tables
from benchmarks.peer.tools import Failed, peer_problem


def main() -> int:
    args = _arguments()
    problem = "left out, as asked" if args.without_peer else peer_problem()
    if problem:
        print(f"The peer is not measured: {problem}", file=sys.stderr)
    sessions: list[session.Session] = []
    for cell in [plan.QUICK] if args.quick else args.cells:
        wanted = plan.wanted(cell, quick=args.quick, peer=not problem, chosen=args.scenarios)
        try:
            done = session.run(
                cell.size, cell.latency_ms, wanted, repetitions=args.repeat, warm_up_runs=1 if args.quick else 2
            )
        except Failed as failed:
            print(f"{cell}: {failed}", file=sys.stderr)
            return 1
        sessions.append(done)
        parts = [tables.comparison(done), tables.by_role(done), tables.stages(done), tables.calls(done)]
        print("\n\n".join("\n".join(part) for part in parts), flush=True)
        if not args.quick and not problem:
            page.write(results.add(done))
    if len(sessions) > 1:
        print("\n".join(tables.one_more_scope(sessions)))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peer", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one small cell; nothing is written")
    parser.add_argument("--cells", type=plan.cells, default=plan.ALL, help="5x3:80,...: accounts x regions, ms a call")
    parser.add_argument(
        "--scenarios", type=plan.scenarios, help="empty,unchanged,changed,fresh: instead of what a cell is for"
    )
    parser.add_argument("--repeat", type=int, default=1, help="runs of each kind; the tables show medians")
    parser.add_argument("--without-peer", action="store_true", help="Chartfleet alone; prints, and writes nothing")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
