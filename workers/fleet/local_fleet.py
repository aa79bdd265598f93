"""A fleet on this machine for one `sync`: a coordinator, fetch workers, one loader.

Each is replaced if it dies; all are gone when the command is, however that ends.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from loaders.errors import ChartfleetError
from tasks.engine import registry
from workers.settings.settings import Settings

log = logging.getLogger(__name__)

# Not `celery -A`: that puts the working directory first on the import path, and -P keeps Python from doing so.
CELERY: Final = (sys.executable, "-P", "-m", "workers.app")
DIES_WITH_STDIN: Final = "CHARTFLEET_DIES_WITH_STDIN"
STOP_SECONDS: Final = 15
MAX_RESTARTS: Final = 20  # of one worker: after that something is wrong that no restart mends


class WorkersKeepDying(ChartfleetError):
    """A worker that no restart mends: which, and where its log is."""


@dataclass(slots=True)
class Worker:
    """One Celery worker process of the fleet."""

    name: str
    queues: Sequence[str]
    concurrency: int
    process: subprocess.Popen[bytes] | None = None
    restarts: int = 0


def layout(settings: Settings) -> list[Worker]:
    """Fetching waits for answers most of the time: four scopes at a time for each core, in two workers."""
    scopes = settings.concurrency or min(32, 4 * (os.cpu_count() or 1))
    half = max(1, scopes // 2)
    fetchers = [Worker("fetch-1", ["fetch"], half), Worker("fetch-2", ["fetch"], max(1, scopes - half))]
    return [
        Worker("coordinator", ["coordinator"], 2),
        *(fetchers if scopes > 1 else fetchers[:1]),
        Worker("loader", ["loader"], 1),
    ]


class LocalFleet:
    """Starts the workers, watches them, stops them."""

    def __init__(self, settings: Settings, log_dir: Path) -> None:
        self.workers = layout(settings)
        self.log_dir = log_dir
        self._environment = {**os.environ, **settings.as_environment(), DIES_WITH_STDIN: "1"}
        self._stopping = False
        self._groups: list[int] = []  # of processes: every worker is the leader of one, with its pool in it

    def start(self) -> None:
        self.log_dir.mkdir(parents=True, exist_ok=True)
        for worker in self.workers:
            log_file = self._log_file(worker)
            if log_file.exists():
                log_file.replace(log_file.with_name(f"{log_file.name}.1"))
            self._spawn(worker)

    def watch(self) -> None:
        """Start again what died. Raises WorkersKeepDying."""
        for worker in self.workers:
            if self._stopping or worker.process is None or worker.process.poll() is None:
                continue
            if worker.restarts >= MAX_RESTARTS:
                raise WorkersKeepDying(f"the worker {worker.name} keeps dying; see {self._log_file(worker)}")
            worker.restarts += 1
            log.warning("the worker %s died (%s); starting another", worker.name, worker.process.returncode)
            self._spawn(worker)

    def stop(self) -> None:
        """Let every worker finish, and end what doesn't within the time."""
        self._stopping = True
        processes = [w.process for w in self.workers if w.process is not None]
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

    def _log_file(self, worker: Worker) -> Path:
        return self.log_dir / f"{worker.name}.log"

    def _spawn(self, worker: Worker) -> None:
        with self._log_file(worker).open("ab") as output:
            worker.process = subprocess.Popen(
                worker_command(worker.queues, worker.concurrency, worker.name),
                stdin=subprocess.PIPE,  # its end tells the worker that this process is gone, however it went
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self._environment,
                cwd=self.log_dir,
                start_new_session=True,  # Ctrl-C is for the command, which stops the fleet itself
            )
        self._groups.append(worker.process.pid)


def _kill_orphans(group: int) -> None:
    """What a worker that is gone left behind. Where a process has its pid, the pid was given out again: not ours."""
    try:
        os.getpgid(group)
    except ProcessLookupError:
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)


def worker_command(queues: Sequence[str], concurrency: int | None, name: str | None, *more: str) -> list[str]:
    """Celery's own command for a worker of these queues."""
    command = [*CELERY, "worker", "--queues", ",".join(expand(queues))]
    command += ["--concurrency", str(concurrency)] if concurrency else []
    command += ["--hostname", node(name or unique_name(queues))]
    command += ["--pool", "threads"] if sys.platform == "win32" else []  # Windows can't fork
    return [*command, "--loglevel", "INFO", "--without-gossip", "--without-mingle", *more]


def unique_name(queues: Sequence[str]) -> str:
    """A name that no other worker has: those of one name can't be told apart, and Celery's default is the same for all
    of a host.
    """
    return "-".join([*(queue.replace(".", "-") for queue in queues), uuid.uuid4().hex[:6]])


def node(name: str) -> str:
    """Celery's name for a worker of this host; it puts the host in the place of %h."""
    return f"{name}@%h"


def expand(queues: Sequence[str]) -> list[str]:
    """Celery's queues for what `--queues` says: `fetch` stands for the fetch queue of every provider."""
    found: list[str] = []
    for word in queues:
        found += [f"fetch.{name}" for name in registry.providers()] if word == "fetch" else [word]
    return found


@contextmanager
def local_fleet(settings: Settings, log_dir: Path) -> Iterator[LocalFleet]:
    fleet = LocalFleet(settings, log_dir)
    try:
        fleet.start()
        yield fleet
    finally:
        fleet.stop()


def die_with_stdin(environment: Mapping[str, str] = os.environ) -> None:
    """In a worker of a local fleet: end when the process that started it is gone."""
    if environment.get(DIES_WITH_STDIN) != "1":
        return

    def wait() -> None:
        while os.read(0, 1):  # not sys.stdin: its lock would be held for ever in the children that the pool forks
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(STOP_SECONDS)
        os.killpg(0, signal.SIGKILL)  # this worker leads its group: the children of its pool go with it

    threading.Thread(target=wait, name="die-with-stdin", daemon=True).start()
