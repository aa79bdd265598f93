"""A fleet of real worker processes with short leases, and runs that are started as `chartfleet sync` starts them."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import psutil
import redis
from celery import Celery
from rich.console import Console

from loaders.graph import Graph, GraphAddress
from loaders.ledger import Ledger, RunInfo, Unit, runs
from loaders.scope import Scope
from tests.fleet.command import FLEET_KEY
from workers.fleet import coordinator, health
from workers.fleet.configuration import configuration
from workers.fleet.health import Health
from workers.fleet.local import LocalFleet, Worker, local_fleet
from workers.fleet.process import connect_redis
from workers.fleet.publisher import Publisher
from workers.report import report, watch
from workers.report.report import Report
from workers.settings import configured, fleet_key
from workers.settings.settings import Settings

T = TypeVar("T")

# Everything that waits, waits briefly: what a killed worker costs is its lease. Small batches: a scope has several.
QUICK: Mapping[str, Any] = {
    "lease_seconds": 4.0,
    "sweep_seconds": 0.5,
    "redelivery_grace_seconds": 2.0,
    "writer_lease_seconds": 3.0,
    "transaction_seconds": 10.0,
    "run_lease_seconds": 30.0,
    "rows_per_batch": 5,
    "concurrency": 2,
    "fetch_processes": 2,
}
PLANNERS = 2  # units of the run before its scopes are planned: the tenants, the regions of the one tenant
LOADER, COORDINATOR, FETCH = "loader", "coordinator", "fetch"  # names of workers begin so

# The simulator takes any keys; a test looks for these everywhere, so they are told apart from all else.
AWS_KEYS = {
    "AWS_ACCESS_KEY_ID": "AKIATESTONLYACCESSKEY",
    "AWS_SECRET_ACCESS_KEY": "test-only-secret-key-that-must-not-leak",
    "AWS_DEFAULT_REGION": "us-east-1",
}
NEO4J_PASSWORD = "CHARTFLEET_TEST_NEO4J_PASSWORD"  # the name of a variable
BROKER_PASSWORD = "CHARTFLEET_TEST_BROKER_PASSWORD"


def graph_variables(address: GraphAddress) -> dict[str, str]:
    """By which a command finds this graph."""
    return {
        "CHARTFLEET_NEO4J_URI": address.uri,
        "CHARTFLEET_NEO4J_USER": address.user or "",
        "CHARTFLEET_NEO4J_PASSWORD_ENV_VAR": NEO4J_PASSWORD,
        NEO4J_PASSWORD: address.password or "",
    }


def wait_for(what: Callable[[], T | None], *, seconds: float = 60, message: Callable[[], str] = str) -> T:
    """Ask until the response is not empty, and return it. Raises TimeoutError."""
    end = time.monotonic() + seconds
    while not (found := what()):
        if time.monotonic() > end:
            raise TimeoutError(message() or f"it didn't happen within {seconds:.0f} s")
        time.sleep(0.02)
    return found


@dataclass
class Fleet:
    """A running fleet: start runs on it, look at them, stop and kill its processes."""

    settings: Settings
    graph: Graph
    workers: LocalFleet
    _said: dict[str, int] = field(default_factory=dict)

    # -- runs

    def start(self, **settings: Any) -> Ledger:
        """A run under way, with these settings changed."""
        wanted = self.settings.with_values(settings, "test")
        off = configured.check(wanted.modules, wanted.run_config()["options"]).off
        return coordinator.start(wanted, self.graph, self.redis, self.publisher, off)

    def resume(self, run: str) -> Ledger:
        return coordinator.resume(self.settings, self.graph, self.redis, run, self.publisher)

    def finish(self, ledger: Ledger) -> Report:
        """Wait for the end of a run; dead workers are replaced as the local fleet does."""
        watch.until_the_end(ledger, self.graph, Console(quiet=True), self.workers)
        return report.of(ledger)

    def sync(self, **settings: Any) -> Report:
        return self.finish(self.start(**settings))

    @cached_property
    def app(self) -> Celery:
        """A sender of messages to this fleet: its own, since a test may have two fleets."""
        app = Celery("chartfleet-test", set_as_current=False)
        app.conf.update(configuration(self.settings))
        return app

    @cached_property
    def publisher(self) -> Publisher:
        return Publisher(self.app)

    @cached_property
    def redis(self) -> redis.Redis:
        assert self.settings.broker is not None
        return connect_redis(self.settings.broker)

    def queued(self, queue: str) -> int:
        """Messages that wait in a queue."""
        return int(self.redis.llen(queue))

    # -- processes

    def health(self, name: str) -> Health:
        """What the health check of a worker says."""
        return health.worker(self.app, self.redis, self.settings, name)

    def worker(self, name: str) -> Worker:
        return next(worker for worker in self.workers.workers if worker.name == name)

    def processes(self, *names: str) -> list[psutil.Process]:
        """The processes of the workers whose names begin so, each followed by the one for its suspects."""
        found: list[psutil.Process] = []
        for worker in self.workers.workers:
            if worker.process is not None and worker.name.startswith(names or ("",)):
                with suppress(psutil.NoSuchProcess):
                    parent = psutil.Process(worker.process.pid)
                    found += [parent, *parent.children()]
        return found

    def children(self, name: str) -> list[psutil.Process]:
        return self.processes(name)[1:]

    def worker_of(self, unit: Unit) -> Worker:
        """The worker that an attempt runs in."""
        pid = int(unit.worker.rpartition(":")[2])
        return next(w for w in self.workers.workers if w.process and w.process.pid == pid)

    def kill(self, name: str) -> None:
        """SIGKILL for a whole worker."""
        for process in self.processes(name):
            with suppress(psutil.NoSuchProcess):
                process.kill()

    def freeze(self, *names: str) -> None:
        """The workers of these names stand still."""
        _signal(self.processes(*names), signal.SIGSTOP)

    def thaw(self, *names: str) -> None:
        _signal(self.processes(*names), signal.SIGCONT)

    @contextmanager
    def frozen(self, *names: str) -> Iterator[None]:
        self.freeze(*names)
        try:
            yield
        finally:
            self.thaw(*names)

    @contextmanager
    def also(self, name: str, queues: Sequence[str], concurrency: int = 1, **settings: Any) -> Iterator[Worker]:
        """One worker more, for the length of the block."""
        worker = Worker(name, queues, concurrency)
        more = LocalFleet(self.settings.with_values(settings, "test"), self.workers.log_dir)
        more.workers = [worker]
        more.start()
        self.workers.workers.append(worker)
        try:
            self.wait_until_ready({name})
            yield worker
        finally:
            self.workers.workers.remove(worker)
            more.stop()

    def wait_until_ready(self, names: set[str] | None = None, *, seconds: float = 90) -> None:
        """Every worker is there and answers, or those named."""
        end = time.monotonic() + seconds
        names = names or {worker.name for worker in self.workers.workers}
        while True:
            self.workers.watch()
            responses: list[dict[str, Any]] = []
            with suppress(redis.ConnectionError):  # one of before Redis was restarted
                most = len(self.workers.workers)
                responses = self.app.control.broadcast("ping", reply=True, timeout=2, limit=most) or []
            if names <= {host.partition("@")[0] for response in responses for host in response}:
                return
            if time.monotonic() > end:
                raise TimeoutError(f"of {sorted(names)} only {responses} answer; see {self.workers.log_dir}")

    def at_rest(self) -> None:
        """Back to how it began: no run, no message, no worker that stands still or is gone."""
        self.thaw()
        for run in runs(self.redis):
            Ledger(self.redis, run).cancel("the test is over")
        for queue in (COORDINATOR, LOADER, "fetch.aws", "unacked", "unacked_index"):
            self.redis.delete(queue)
        self.wait_until_ready()
        for key in self.redis.scan_iter("chartfleet:*", count=1000):
            self.redis.delete(key)

    def log(self, name: str) -> str:
        """What a worker said since the test began."""
        return self._log_file(name).read_text(errors="replace")[self._said.get(name, 0) :]

    def ended(self, name: str, task: str) -> int:
        """How often a worker came to the end of a task since the test began."""
        return len(re.findall(rf"Task {re.escape(task)}\[[^]]+\] (succeeded|raised)", self.log(name)))

    def forget_logs(self) -> None:
        names = [worker.name for worker in self.workers.workers]
        self._said = {name: len(self._log_file(name).read_text(errors="replace")) for name in names}

    def _log_file(self, name: str) -> Path:
        return self.workers.log_dir / f"{name}.log"


def info_of(ledger: Ledger) -> RunInfo:
    info = ledger.info()
    assert info is not None
    return info


def wait_until_one_is_left(ledger: Ledger) -> None:
    """Every scope but one is settled, and nothing waits for the writer."""
    wait_for(lambda: (info := info_of(ledger)).open == 1 and info.planned > 20 and not info.waiting)


def unit_of(ledger: Ledger, type_: str, region: str, tenant: str = "123456789012") -> Unit:
    """A scope of a run, as it stands; of the demo's account if no other is named."""
    unit = ledger.unit(Scope(type=type_, tenant=tenant, region=region))
    assert unit is not None, f"{type_} in {region} is not planned"
    return unit


@contextmanager
def running_fleet(
    address: GraphAddress, broker_url: str, logs: Path, endpoint: str, **settings: Any
) -> Iterator[Fleet]:
    """Workers that fetch from the simulator at `endpoint` and write to the graph at `address`."""
    os.environ.update(AWS_KEYS, AWS_ENDPOINT_URL=endpoint)
    os.environ.setdefault(fleet_key.VARIABLE, FLEET_KEY)
    os.environ[NEO4J_PASSWORD] = address.password or ""
    values = {
        **QUICK,
        "broker_url": broker_url,
        "neo4j_uri": address.uri,
        "neo4j_user": address.user,
        "neo4j_password_env_var": NEO4J_PASSWORD,
        **settings,
    }
    loaded = Settings.load({}, {}).with_values(values, "test")
    graph = Graph.at(address)
    try:
        with local_fleet(loaded, logs) as workers:
            fleet = Fleet(loaded, graph, workers)
            fleet.at_rest()
            yield fleet
    finally:
        graph.close()


def _signal(processes: Sequence[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)
