"""`python -m tests.soak --runs 200 --seed 7`: exit code 1 if a promise was broken."""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.soak.estate import VARIANTS
from tests.soak.runs import Harness, Verdict
from tests.soak.schedule import Kind, draw
from tests.soak.surroundings import surroundings
from workers import embedded

SHORT_RUNS = 3
ENOUGH_VIOLATIONS = 10  # broken runs, after which a soak stops: they are looked at first


def main() -> int:
    parser = argparse.ArgumentParser(prog="make faults", description="Runs of a whole fleet under random faults.")
    parser.add_argument("--runs", type=int, default=SHORT_RUNS, metavar="COUNT")
    parser.add_argument("--seed", default="", help="the same seed draws the same faults; by default a new one")
    parser.add_argument("--first", type=int, default=0, metavar="NUMBER", help="the first run of the seed to make")
    parser.add_argument("--variants", type=int, default=VARIANTS, metavar="COUNT", help="of the estate")
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        choices=[kind.name for kind in Kind],
        metavar="KIND",
        help="a kind of fault to leave out, e.g. GRAPH_RESTART; may be repeated",
    )
    parser.add_argument(
        "--breakage", default="", help="a promise that the workers break: a name of tests/soak/broken.py"
    )
    parser.add_argument("--keep-logs", type=Path, metavar="DIR", help="where the workers' logs are kept")
    parser.add_argument(
        "--services", type=Path, metavar="DIR", help="data directory of `chartfleet services` with a graph to be used"
    )
    arguments = parser.parse_args()
    seed: str = arguments.seed or str(random.randrange(10_000))
    numbers = range(arguments.first, arguments.first + arguments.runs)
    started = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends what was started
    print(f"seed {seed}: {arguments.runs} runs from number {arguments.first}", flush=True)
    without = frozenset(Kind[name] for name in arguments.without)
    verdicts: list[Verdict] = []
    with tempfile.TemporaryDirectory(prefix="soak-") as temporary:
        directory = (arguments.keep_logs or Path(temporary)).resolve()
        services = embedded.start(arguments.services, broker=False, say=print) if arguments.services else None
        with surroundings(directory, breakage=arguments.breakage, services=services) as around:
            harness = Harness(around)
            for number in numbers:
                schedule = draw(seed, number, variants=arguments.variants, without=without)
                verdicts.append(harness.judge(schedule))
                show(verdicts[-1], _again(arguments, seed, number))
                if sum(bool(verdict.violations) for verdict in verdicts) >= ENOUGH_VIOLATIONS:
                    break
    return summary(verdicts, time.monotonic() - started)


def _again(arguments: argparse.Namespace, seed: str, number: int) -> str:
    """The command that repeats one run."""
    flags = [f"--variants {arguments.variants}"] if arguments.variants != VARIANTS else []
    flags += [f"--without {kind}" for kind in arguments.without]
    flags += [f"--breakage {arguments.breakage}"] if arguments.breakage else []
    return f"make faults SEED={seed} FIRST={number} RUNS=1" + (f' FLAGS="{" ".join(flags)}"' if flags else "")


def show(verdict: Verdict, again: str) -> None:
    schedule = verdict.schedule
    print(f"run {schedule.number}: {verdict.state} after {verdict.seconds:.0f} s", flush=True)
    for fault in schedule.faults:
        print(f"    {fault}{'' if verdict.injected[fault.kind] else ' (the run was over)'}")
    for text in verdict.violations:
        print(f"    VIOLATION: {text}")
    if verdict.violations:
        print(f"    again: {again}", flush=True)


def summary(verdicts: list[Verdict], seconds: float) -> int:
    """Prints the figures. Returns the exit code."""
    kinds: Counter[Kind] = sum((verdict.injected for verdict in verdicts), Counter())
    states = Counter(str(verdict.state) for verdict in verdicts)
    broken = sum(bool(verdict.violations) for verdict in verdicts)
    print(f"\n{len(verdicts)} runs in {seconds:.0f} s: {', '.join(f'{n} {state}' for state, n in states.items())}")
    for kind, count in sorted(kinds.items(), key=lambda pair: (-pair[1], pair[0])):
        print(f"  {count:4}  {kind}")
    total = sum(len(verdict.violations) for verdict in verdicts)
    print(f"{total} violations{f' in {broken} runs' if broken else ''}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
