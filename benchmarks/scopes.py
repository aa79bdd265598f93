"""What the fleet itself costs: python -m benchmarks.scopes [ACCOUNTS]

A run over so many accounts (default: 40) of 17 regions and 30 types, whose scopes hold nothing and make no call, with
one fetch process; beside it a bare Celery chord of as many tasks that do nothing, in a worker with the same settings.
Prints CPU time and Redis commands a scope, Redis' memory, and the time from the last scope to the barrier.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil
import redis

from benchmarks.empty_provider.empty import NUMBER_OF_TYPES
from benchmarks.peer.graph import new_services
from benchmarks.peer.tools import BROKER, GRAPH, role_in_fleet
from benchmarks.peer.usage import cpu_seconds, measure
from tests.fleet.command import CHARTFLEET, clean_environment
from workers import embedded

REGIONS: Final = 17
CONCURRENCY: Final = 32
PROVIDER: Final = Path(__file__).parent / "empty_provider"


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one run."""

    what: str
    tasks: int
    seconds: float
    cpu_seconds: dict[str, float]  # by role
    commands: int  # to Redis
    peak_bytes: int  # of Redis

    def show(self) -> None:
        print(f"{self.what}: {self.tasks:,} in {self.seconds:.1f} s, {self.tasks / self.seconds:.0f}/s")
        for role, seconds in sorted(self.cpu_seconds.items()):
            print(f"  {seconds / self.tasks * 1000:8.2f} ms CPU a scope  {role}")
        print(f"  {self.commands / self.tasks:8.1f} Redis commands a scope")
        print(f"  {self.peak_bytes / 1e6:8.1f} MB peak of Redis")


def main() -> int:
    accounts = int(sys.argv[1]) if sys.argv[1:] else 40
    with (
        tempfile.TemporaryDirectory(prefix="chartfleet-bench-") as directory,
        new_services(Path(directory)) as services,
        redis.Redis.from_url(services.broker_url) as broker,
    ):
        _fleet(Path(directory), services, broker, 1)  # the graph's plans are made
        fleet = _fleet(Path(directory), services, broker, accounts)
        chord = _chord(Path(directory), services, broker, fleet.tasks)
    fleet.show()
    chord.show()
    ratio = sum(fleet.cpu_seconds.values()) / sum(chord.cpu_seconds.values())
    print(f"CPU time: {ratio:.2f} times the bare chord's; Redis commands: {fleet.commands / chord.commands:.2f} times")
    return 0


def _fleet(directory: Path, services: embedded.Services, broker: redis.Redis, accounts: int) -> Cost:
    before = _begin(broker)
    status = embedded.status(services.data_dir)
    beside = {role: service.pid for role, service in ((BROKER, status.broker), (GRAPH, status.graph)) if service.pid}
    output = directory / "chartfleet.json"
    usage = measure(
        [
            CHARTFLEET, "sync", "--json", "--data-dir", str(services.data_dir), "--selected-modules", "empty",
            "--empty-tenants", str(accounts), "--empty-regions", str(REGIONS), "--fetch-processes", "1",
            "--concurrency", str(CONCURRENCY),
        ],
        clean_environment() | {"PYTHONPATH": f"{PROVIDER}{os.pathsep}{Path(__file__).parents[1]}"},
        output,
        role_in_fleet,
        beside,
    )  # fmt: skip
    if usage.exit_code:
        raise SystemExit(output.with_name(f"{output.name}.err").read_text())
    report: dict[str, Any] = json.loads(output.read_text())
    scopes = sum(report["scopes"].values())
    assert scopes >= accounts * REGIONS * NUMBER_OF_TYPES
    print(f"  {report['seconds']}", file=sys.stderr)
    cpu = {role: share.cpu_seconds for role, share in {**usage.roles, **usage.beside}.items()}
    return Cost("Chartfleet", scopes, usage.wall_seconds, cpu, _commands(broker) - before, _peak(broker))


def _chord(directory: Path, services: embedded.Services, broker: redis.Redis, count: int) -> Cost:
    environment = {**os.environ, "BARE_BROKER": services.broker_url}
    os.environ["BARE_BROKER"] = services.broker_url
    from benchmarks import bare_chord

    before = _begin(broker)
    command = [sys.executable, "-m", "celery", "-A", "benchmarks.bare_chord", "worker", "--queues", bare_chord.QUEUE]
    command += ["--pool", "threads", "--concurrency", str(CONCURRENCY), "--loglevel", "INFO"]
    with (directory / "bare.log").open("wb") as log:
        worker = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            process, own = psutil.Process(worker.pid), psutil.Process()
            while not bare_chord.app.control.inspect(timeout=1).ping():
                time.sleep(0.2)
            service = psutil.Process(embedded.status(services.data_dir).broker.pid)
            processes = {"worker": process, "publisher": own, "broker": service}
            started = {role: cpu_seconds(of) for role, of in processes.items()}
            seconds = bare_chord.run(count)
            cpu = {role: cpu_seconds(of) - started[role] for role, of in processes.items()}
        finally:
            worker.terminate()
            worker.wait()
    return Cost("bare chord", count, seconds, cpu, _commands(broker) - before, _peak(broker))


def _begin(broker: redis.Redis) -> int:
    broker.flushall()
    broker.config_resetstat()
    return _commands(broker)


def _commands(broker: redis.Redis) -> int:
    return sum(
        int(stat["calls"])
        for name, stat in broker.info("commandstats").items()
        if not name.endswith(("info", "|resetstat", "brpop"))
    )


def _peak(broker: redis.Redis) -> int:
    return int(broker.info("memory")["used_memory_peak"])


if __name__ == "__main__":
    raise SystemExit(main())
