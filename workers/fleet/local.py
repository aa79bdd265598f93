"""A fleet on this machine for one `sync`: a coordinator, fetch workers, one loader.

A worker that crashes is restarted. All of them end with the command, however it ends.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from loaders.errors import ChartfleetError
from workers.fleet.programs import worker_command
from workers.fleet.queues import COORDINATOR, FETCH, LOADER
from workers.settings.settings import Settings

log = logging.getLogger(__name__)

ENDS_WITH_STDIN: Final = "CHARTFLEET_ENDS_WITH_STDIN"
STOP_SECONDS: Final = 15
_OF_THE_GRAPH: Final = ("neo4j_uri", "neo4j_user", "neo4j_password_env_var", "neo4j_database", "neo4j_ca_file")
MAX_FETCH_PROCESSES: Final = 4  # unless a setting says otherwise
MAX_RESTARTS: Final = 20  # of one worker: what fails more often than that isn't fixed by a restart


class WorkerKeepsCrashing(ChartfleetError):
    """A worker that crashes after every restart: its name, and where its log is."""


@dataclass(slots=True)
class Worker:
    """One Celery worker process of the fleet."""

    name: str
    queues: Sequence[str]
    concurrency: int
    process: subprocess.Popen[bytes] | None = None
    restarts: int = 0


def layout(settings: Settings, fetched: Sequence[str] = (FETCH,)) -> list[Worker]:
    """`fetched`: the queues of the fetch processes; each imports the clients of what it serves.

    Fetching mostly waits for responses: one process computes for many scopes, and the graph needs a core, too.
    """
    number = settings.fetch_processes or max(1, min(MAX_FETCH_PROCESSES, (os.cpu_count() or 1) // 2))
    fetchers = [Worker(f"{FETCH}-{n}", fetched, settings.scopes_in_flight) for n in range(1, number + 1)]
    return [Worker(COORDINATOR, [COORDINATOR], 2), *fetchers, Worker(LOADER, [LOADER], 1)]


class LocalFleet:
    """Starts the workers, watches them, stops them."""

    def __init__(self, settings: Settings, log_dir: Path, fetched: Sequence[str] = (FETCH,)) -> None:
        self.workers = layout(settings, fetched)
        self.log_dir = log_dir
        self._settings = settings
        self._stopping = False
        self._groups: list[int] = []  # process groups: each worker leads one, with the process for its suspects

    def start(self) -> None:
        self.log_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        for worker in self.workers:
            log_file = self._log_file(worker)
            if log_file.exists():
                log_file.replace(log_file.with_name(f"{log_file.name}.1"))
            self._spawn(worker)

    def watch(self) -> None:
        """Restart the workers that crashed. Raises WorkerKeepsCrashing."""
        for worker in self.workers:
            if self._stopping or worker.process is None or worker.process.poll() is None:
                continue
            if worker.restarts >= MAX_RESTARTS:
                raise WorkerKeepsCrashing(f"the worker {worker.name} keeps crashing; see {self._log_file(worker)}")
            worker.restarts += 1
            log.warning("the worker %s crashed (exit code %s); restarting it", worker.name, worker.process.returncode)
            self._spawn(worker)

    def stop(self) -> None:
        """Ask every worker to stop, and kill those that don't within STOP_SECONDS."""
        self._stopping = True
        processes = [worker.process for worker in self.workers if worker.process is not None]
        for process in processes:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
        end = time.monotonic() + STOP_SECONDS
        for process in processes:
            try:
                process.wait(max(0.1, end - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdin:
                process.stdin.close()
        for group in self._groups:
            _kill_orphans(group)

    def _environment(self, worker: Worker) -> dict[str, str]:
        """Who only fetches isn't told where the graph is."""
        settings = self._settings
        if all(queue.startswith(FETCH) for queue in worker.queues):
            settings = settings.with_values(dict.fromkeys(_OF_THE_GRAPH), "local fleet")
        return {**os.environ, **settings.as_environment(), ENDS_WITH_STDIN: "1"}

    def _log_file(self, worker: Worker) -> Path:
        return self.log_dir / f"{worker.name}.log"

    def _spawn(self, worker: Worker) -> None:
        with self._log_file(worker).open("ab") as output:
            worker.process = subprocess.Popen(
                worker_command(worker.queues, worker.concurrency, worker.name),
                stdin=subprocess.PIPE,  # closes when this process ends, however it ends: the worker's signal to stop
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._environment(worker),
                cwd=self.log_dir,
                start_new_session=True,  # Ctrl-C goes to the command only, which then stops the fleet
            )
        self._groups.append(worker.process.pid)


def _kill_orphans(group: int) -> None:
    """Kill what a worker left behind. If a process has the worker's pid, the pid was reused: that group isn't ours."""
    try:
        os.getpgid(group)
    except ProcessLookupError:
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)


@contextmanager
def local_fleet(settings: Settings, log_dir: Path, fetched: Sequence[str] = (FETCH,)) -> Iterator[LocalFleet]:
    fleet = LocalFleet(settings, log_dir, fetched)
    try:
        fleet.start()
        yield fleet
    finally:
        fleet.stop()


def end_with_stdin(environment: Mapping[str, str] = os.environ) -> None:
    """In a worker of a local fleet: end when the process that started it has ended."""
    if environment.get(ENDS_WITH_STDIN) != "1":
        return

    def wait() -> None:
        while os.read(0, 1):  # not sys.stdin: a pool that forks would inherit its lock, held forever
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(STOP_SECONDS)
        os.killpg(0, signal.SIGKILL)  # this worker leads its process group

    threading.Thread(target=wait, name="end-with-stdin", daemon=True).start()
