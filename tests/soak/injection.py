"""Does to the fleet and its surroundings what a schedule says."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import Final

import psutil
import redis
from kombu.exceptions import OperationalError
from neo4j.exceptions import DriverError, Neo4jError

from loaders.ledger import Ledger, RunState, runs
from loaders.writer import RunRefused
from tests.fleet.running import COORDINATOR, LOADER
from tests.soak.schedule import HTTP, Fault, Kind, Schedule
from tests.soak.surroundings import Surroundings
from workers.commands.cancel import cancel
from workers.fleet.local import LocalFleet, Worker
from workers.fleet.programs import beat_command
from workers.fleet.queues import SYNC_TASK

GRACE_SECONDS: Final = 2.0  # after SIGTERM
BEAT_SECONDS: Final = 3  # between runs that it asks for
ASKED_RUNS: Final = 3
REPLY_LOSS: Final = 0.3


@dataclass(frozen=True, slots=True)
class _Due:
    """`undoes`: it ends a fault, and is done at the end of the run at the latest. The others are then left out."""

    at: float
    action: Callable[[], object]
    undoes: bool
    awaited: bool


@dataclass
class Injection:
    """`tick` starts what is due and ends what is over; `end` ends everything, and what was stopped goes on."""

    around: Surroundings
    schedule: Schedule
    run: str
    started: float = field(default_factory=time.monotonic)
    injected: Counter[Kind] = field(default_factory=Counter)
    _next: int = 0
    _due: list[_Due] = field(default_factory=list)
    _open: ExitStack = field(default_factory=ExitStack)  # what lasts to the end of the run
    _groups: list[psutil.Process] = field(default_factory=list)

    @property
    def pending(self) -> bool:
        """Whether a run that is over is still to be resumed."""
        left = [fault.kind for fault in self.schedule.faults[self._next :]]
        return Kind.RESUME in left or any(due.awaited for due in self._due)

    def tick(self) -> None:
        now = time.monotonic()
        due = [due for due in self._due if due.at <= now]
        self._due = [due for due in self._due if due.at > now]
        for each in due:
            each.action()
        faults = self.schedule.faults
        while self._next < len(faults) and self.started + faults[self._next].at <= now:
            fault, self._next = faults[self._next], self._next + 1
            self._begin(fault)

    def end(self) -> None:
        due, self._due = self._due, []
        for each in due:
            if each.undoes:
                each.action()
        self._next = len(self.schedule.faults)
        for proxy in self.around.proxies:
            proxy.clear()
        self._open.close()

    def _begin(self, fault: Fault) -> None:
        around = self.around
        self.injected[fault.kind] += 1
        if fault.kind in HTTP:
            for proxy in around.proxies:
                proxy.add(fault)
                self._later(fault.seconds, lambda p=proxy: p.remove(fault))  # type: ignore[misc]
            return
        match fault.kind:
            case Kind.KILL:
                around.fleet.kill(fault.target)
            case Kind.KILL_CHILD:
                self._kill_child(fault)
            case Kind.TERMINATE:
                self._terminate(fault.target)
            case Kind.STOP:
                around.fleet.freeze(fault.target)
                self._later(fault.seconds, lambda: around.fleet.thaw(fault.target))
            case Kind.SECOND_LOADER:
                self._second(Worker("second-loader", [LOADER], 1))
            case Kind.SECOND_COORDINATOR:
                self._second(Worker("second-coordinator", [COORDINATOR], 2))
                self._later(2.0, self._ask_for_run, undoes=False)
            case Kind.BEAT:
                pass  # it has started the run
            case Kind.CANCEL:
                self._cancel()
            case Kind.RESUME:
                self._cancel()
                self._later(1.0, self._resume, undoes=False, awaited=True)
            case _:
                self._on_services(fault)

    def _on_services(self, fault: Fault) -> None:
        around = self.around
        match fault.kind:
            case Kind.REDIS_RESTART:
                around.restart_broker()
            case Kind.REDIS_ROLLBACK:
                sizes = around.append_only_sizes()
                self._later(1.0, lambda: around.restart_broker(lost_bytes_since=sizes), undoes=False)
            case Kind.REDIS_FLUSHED:
                around.redis.flushall()
            case Kind.REDIS_FULL:
                around.redis.config_set("maxmemory", int(around.redis.info("memory")["used_memory"]))
                self._later(fault.seconds, lambda: around.redis.config_set("maxmemory", 0))
            case Kind.REDIS_REPLIES:
                around.redis_door.loss = REPLY_LOSS
                self._later(fault.seconds, lambda: setattr(around.redis_door, "loss", 0.0))
            case Kind.GRAPH_AWAY:
                self._shut_graph(fault.seconds)
            case Kind.GRAPH_RESTART:
                around.restart_graph()

    def _later(
        self, seconds: float, action: Callable[[], object], *, undoes: bool = True, awaited: bool = False
    ) -> None:
        self._due.append(_Due(time.monotonic() + seconds, action, undoes, awaited))

    def _shut_graph(self, seconds: float) -> None:
        shut = ExitStack()
        shut.enter_context(self.around.graph_door.shut())
        self._later(seconds, shut.close)

    # -- processes

    def _kill_child(self, fault: Fault) -> None:
        """Of the process in which a worker tries its suspects; where it has none, of the worker, which makes some."""
        if not (children := self.around.fleet.children(fault.target)):
            self.around.fleet.kill(fault.target)
            return
        with suppress(psutil.NoSuchProcess):
            random.Random(fault.salt).choice(children).kill()

    def _terminate(self, target: str) -> None:
        processes = self.around.fleet.processes(target)
        for process in processes[:1]:  # the one for its suspects is the worker's to stop
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGTERM)
        self._later(GRACE_SECONDS, lambda: _kill(processes))

    def _second(self, worker: Worker) -> None:
        """Without waiting for it: it takes part as soon as it can."""
        fleet = self.around.fleet
        more = LocalFleet(fleet.settings, fleet.workers.log_dir)
        more.workers = [worker]
        more.start()
        self._open.callback(more.stop)

    # -- runs

    def _ask_for_run(self) -> None:
        """While this one holds the graph. A Redis that is away, or full, isn't asked again."""
        with suppress(redis.RedisError, OperationalError):
            if Ledger(self.around.redis, self.run).state() is RunState.RUNNING:
                self.around.fleet.app.send_task(SYNC_TASK)

    def _cancel(self) -> None:
        with suppress(redis.RedisError, DriverError, Neo4jError):
            cancel(Ledger(self.around.redis, self.run), self.around.graph, "cancelled by the harness")

    def _resume(self) -> None:
        """Refused, rightly, where beat has had another run started since."""
        ledger = Ledger(self.around.redis, self.run)
        if ledger.state() is RunState.CANCELLED:
            with suppress(RunRefused):
                self.around.fleet.resume(self.run)


def start_beat(around: Surroundings) -> subprocess.Popen[bytes]:
    """Celery's beat, which asks for a run every few seconds."""
    settings = around.fleet.settings.with_values({"schedule": str(BEAT_SECONDS)}, "test")
    directory = around.directory / "beat"
    directory.mkdir(exist_ok=True)
    (directory / "celerybeat-schedule").unlink(missing_ok=True)
    with (directory / "beat.log").open("ab") as log:
        return subprocess.Popen(
            beat_command(["--schedule", str(directory / "celerybeat-schedule"), "--pidfile", ""]),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=settings.as_environment() | _environment(settings.as_environment()),
            cwd=directory,
            start_new_session=True,
        )


def _environment(settings: dict[str, str]) -> dict[str, str]:
    import os

    return {**os.environ, **settings}


def newest_run(client: redis.Redis) -> str | None:
    return next(iter(runs(client)), None)


def _kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
