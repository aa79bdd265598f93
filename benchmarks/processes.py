"""What each process of a fleet needs before it has work, and how soon a sync fetches: python -m benchmarks.processes

Starts each kind of worker alone, three times, with its services up, and waits until it answers. Then runs `chartfleet
sync` of one account in a simulated AWS, and asks the simulator when the first resource was asked for. Exit code 1 if
that is more than the memory or time that a fleet should do with.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

import psutil
from celery import Celery

from benchmarks.peer.graph import new_services
from demo import estate
from demo.inventory import REGIONS
from tests.fleet.command import CHARTFLEET, FLEET_KEY, clean_environment
from tests.fleet.running import AWS_KEYS
from tests.servers.aws import AwsServer
from workers import embedded
from workers.fleet.configuration import configuration
from workers.fleet.local import ENDS_WITH_STDIN, Worker, layout
from workers.fleet.programs import worker_command
from workers.settings.settings import Settings

TIMES: Final = 3
MAX_MB: Final = {"fetch": 150, "loader": 110, "coordinator": 110}
MAX_SECONDS_TO_FETCH: Final = 5.0
ACCOUNT: Final = "123456789012"
PASSWORD: Final = "CHARTFLEET_BENCH_NEO4J_PASSWORD"  # the name of a variable
_IDLE_SECONDS: Final = 1.0
_START_SECONDS: Final = 120.0


@dataclass(frozen=True, slots=True)
class Started:
    """A process that has nothing to do yet. Memory is resident (RSS)."""

    seconds: float  # until it answered
    cpu_seconds: float
    mb: float


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="chartfleet-bench-") as directory, AwsServer() as aws:
        os.environ |= AWS_KEYS | {"AWS_ENDPOINT_URL": aws.url, "CHARTFLEET_FLEET_KEY": FLEET_KEY}
        estate.fill(aws.url, account=ACCOUNT, regions=REGIONS[:2])
        with new_services(Path(directory)) as services:
            processes = dict(measure_workers(services, Path(directory)))
            seconds_to_fetch = [seconds_to_first_fetch(aws, services) for _ in range(TIMES)]
    print("| process | seconds until it answers | CPU s | MB | at most |")
    print("|---|---:|---:|---:|---:|")
    for name, one in processes.items():
        print(f"| {name} | {one.seconds:.1f} | {one.cpu_seconds:.1f} | {one.mb:.0f} | {MAX_MB[name]} |")
    print(f"From the command to its first fetch: {median(seconds_to_fetch):.1f} s, at most {MAX_SECONDS_TO_FETCH:.0f}")
    is_large = any(one.mb > MAX_MB[name] for name, one in processes.items())
    return int(is_large or median(seconds_to_fetch) > MAX_SECONDS_TO_FETCH)


def measure_workers(services: embedded.Services, directory: Path) -> Iterator[tuple[str, Started]]:
    """The middle of each figure, for a worker of each kind."""
    os.environ[PASSWORD] = services.graph.password or ""
    values: dict[str, Any] = {
        "broker_url": services.broker_url,
        "neo4j_uri": services.graph.uri,
        "neo4j_user": services.graph.user,
        "neo4j_password_env_var": PASSWORD,
        "fetch_processes": 1,
    }
    settings = Settings.load({}, {}).with_values(values, "benchmark")
    app = Celery("benchmark", set_as_current=False)
    app.conf.update(configuration(settings))
    for worker in layout(settings):
        runs = [_start(worker, app, settings, directory) for _ in range(TIMES)]
        yield (
            worker.name.partition("-")[0],
            Started(
                median(one.seconds for one in runs),
                median(one.cpu_seconds for one in runs),
                median(one.mb for one in runs),
            ),
        )


def _start(worker: Worker, app: Celery, settings: Settings, directory: Path) -> Started:
    start = time.monotonic()
    with _running(worker, settings, directory) as handles:
        while not app.control.broadcast("ping", reply=True, timeout=0.25, limit=1):
            if time.monotonic() - start > _START_SECONDS:
                raise TimeoutError(f"{worker.name} does not answer; its log is {directory / 'worker.log'}")
        seconds = time.monotonic() - start
        time.sleep(_IDLE_SECONDS)
        return Started(
            seconds,
            sum(sum(handle.cpu_times()[:2]) for handle in handles()),
            sum(handle.memory_info().rss for handle in handles()) / 1e6,
        )


@contextmanager
def _running(worker: Worker, settings: Settings, directory: Path) -> Iterator[Any]:
    """A worker as a local fleet starts it; gives a function for its processes."""
    with (directory / "worker.log").open("wb") as log:
        process = subprocess.Popen(
            worker_command(worker.queues, worker.concurrency, worker.name),
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **settings.as_environment(), ENDS_WITH_STDIN: "1"},
            cwd=directory,
            start_new_session=True,
        )
    handle = psutil.Process(process.pid)

    def handles() -> Sequence[Any]:
        return [handle, *handle.children(recursive=True)]

    try:
        yield handles
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate()


def seconds_to_first_fetch(aws: AwsServer, services: embedded.Services) -> float:
    """From the start of the command to the first call for resources; whose the credentials are is asked before."""
    aws.reset()
    command = [CHARTFLEET, "sync", "--quiet", "--data-dir", str(services.data_dir), "--selected-modules", "aws"]
    command += ["--aws-regions", ",".join(REGIONS[:2]), "--aws-requested-syncs", "ec2:instance,iam"]
    variables = clean_environment() | AWS_KEYS | {"AWS_ENDPOINT_URL": aws.url}
    start = time.time()
    ended = subprocess.run(command, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    fetches = [call.at for call in aws.calls().recent if call.service in ("ec2", "iam")]
    if ended.returncode or not fetches:
        raise RuntimeError(f"chartfleet sync ended with exit code {ended.returncode}: {ended.stderr.decode()}")
    return min(fetches) - start


if __name__ == "__main__":
    sys.exit(main())
