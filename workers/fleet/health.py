"""Is a process of the fleet healthy? For `chartfleet health`, the health check of a container.

Unhealthy means that a restart would help. A process that waits for a broker or a graph that is away is healthy, and
says what it waits for: a new one would wait as well, and start over what this one has begun.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

import redis
from celery import Celery
from celery.beat import beat_nodename  # type: ignore[attr-defined]  # newer than its stubs
from celery.utils.nodenames import default_nodename, host_format
from kombu.exceptions import OperationalError
from neo4j.exceptions import DriverError, Neo4jError

from loaders.graph import Graph
from loaders.ledger import Failing, Ledger, RunState, State
from loaders.scope import Scope
from loaders.writer import heartbeat
from workers.fleet import inspect
from workers.fleet.broker_memory import BrokerMemory
from workers.fleet.inspect import RESPONSE_SECONDS, Task, WorkerSnapshot
from workers.fleet.programs import node_name
from workers.fleet.queues import ANALYSE_TASK, FLEET_TASKS, LOAD_TASK, length, queue_of
from workers.fleet.sweeper import under_way
from workers.settings.settings import Settings

RECHECK_SECONDS: Final = (
    5  # a healthy worker takes a waiting message, ends a task or sends a heartbeat within this time
)
MAX_FAILURES: Final = 5  # in a row, of the same task
MAX_SHOWN: Final = 3
KILL_SECONDS: Final = 60  # a task is killed after its time limit, not to the second


@dataclass(frozen=True, slots=True)
class Health:
    """Is it healthy, and in one line: what is wrong, or what it does."""

    healthy: bool
    text: str


@dataclass(frozen=True, slots=True)
class Symptom:
    """A sign that a worker is stuck, if the next snapshot shows it unchanged."""

    about: tuple[str | int, ...]
    text: str = field(compare=False)


def worker(app: Celery, client: redis.Redis, settings: Settings, hostname: str | None) -> Health:
    """The worker of this host that was started with this `--hostname`; without one, every worker of this host."""
    if hostname:
        return _of_node(app, client, settings, host_format(default_nodename(node_name(hostname))))
    here = host_format("%h")
    try:
        client.ping()
        nodes = inspect.nodes_of(app, here)
    except (redis.RedisError, OperationalError) as error:
        return _waits_for_broker(f"the workers of {here}", error)
    if not nodes:
        return Health(False, f"no worker of {here} responds")
    workers = [_of_node(app, client, settings, node) for node in nodes]
    return Health(all(worker.healthy for worker in workers), "; ".join(worker.text for worker in workers))


def _of_node(app: Celery, client: redis.Redis, settings: Settings, node: str) -> Health:
    try:
        client.ping()
        snapshot = inspect.ask_progress(app, node) or inspect.ask_progress(app, node)
        if snapshot is None:
            return Health(False, f"{node} isn't responding")
        symptoms = set(_symptoms(snapshot, client, settings))
        if symptoms:
            time.sleep(RECHECK_SECONDS)
            if (snapshot := inspect.ask_progress(app, node)) is None:
                return Health(False, f"{node} isn't responding any more")
            symptoms &= set(_symptoms(snapshot, client, settings))
        if symptoms:
            return Health(False, f"{node}: {'; '.join(sorted(symptom.text for symptom in symptoms))}")
        if failing := list(_failing(client, snapshot)):
            return Health(False, f"{node}: {'; '.join(failing)}")
        blocked = _blocked(client)
    except (redis.RedisError, OperationalError) as error:
        return _waits_for_broker(node, error)
    return Health(True, "; ".join([f"{node}: {len(snapshot.tasks)} of {snapshot.slots} at work", *blocked]))


def beat(app: Celery, client: redis.Redis) -> Health:
    """The beat of this host. Celery responds for as long as beat checks its schedule, and no longer."""
    node = beat_nodename()
    try:
        client.ping()
        ticks = inspect.responds(app, node)
    except (redis.RedisError, OperationalError) as error:
        return _waits_for_broker(node, error)
    return Health(ticks, f"{node}: ticks" if ticks else f"{node} isn't responding: it no longer checks its schedule")


def flower(port: int) -> Health:
    """The Flower of this host."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=RESPONSE_SECONDS)
    try:
        connection.request("GET", "/healthcheck")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return Health(False, f"flower isn't responding on port {port}: {error or type(error).__name__}")
    finally:
        connection.close()
    return Health(status == HTTPStatus.OK, f"flower on port {port}: HTTP {status}")


def _waits_for_broker(node: str, error: Exception) -> Health:
    if isinstance(error, redis.OutOfMemoryError):
        return Health(True, f"{node}: not checked, because the broker's memory is full")
    return Health(True, f"{node}: not checked, because the broker isn't responding ({type(error).__name__})")


def _symptoms(snapshot: WorkerSnapshot, client: redis.Redis, settings: Settings) -> Iterator[Symptom]:
    for queue in snapshot.unheard:
        yield Symptom(("unheard", queue), f"is connected, but doesn't consume from the queue {queue}")
    if snapshot.free > 0:
        for message in snapshot.waiting:
            yield Symptom(("in hand", message), "holds a message but doesn't start its task, though a slot is free")
        for queue in snapshot.queues:
            if length(client, queue):
                about = ("queue", queue, snapshot.begun)
                yield Symptom(about, f"takes nothing from the queue {queue}, though a slot is free")
    for task in snapshot.tasks:
        if task.limit_seconds and task.seconds > task.limit_seconds + KILL_SECONDS:
            text = f"{task.name} has been running for {task.seconds:.0f} s; its limit is {task.limit_seconds:g} s"
            yield Symptom(("limit", task.id), text)
        elif task.seconds > settings.lease_seconds:
            yield from _of_ledger(task, client)
        if task.name == LOAD_TASK:
            yield from _of_writer(task, settings)


def _of_ledger(task: Task, client: redis.Redis) -> Iterator[Symptom]:
    """A healthy process renews its leases, or notices that it lost one and stops."""
    match task.args:
        case (run, scope):
            unit = Ledger(client, run).unit(Scope.parse(scope))
            if unit is None or unit.worker != task.process or unit.state in (State.PLANNED, State.QUARANTINED):
                yield Symptom(("lost", task.id), f"{scope} was taken from {task.process}, which is stuck")
        case (run,) if task.name == ANALYSE_TASK:
            ledger = Ledger(client, run)
            if ledger.state() is RunState.ANALYSING and ledger.analyst() != task.process:
                yield Symptom(("lost", task.id), f"the analysis was taken from {task.process}, which is stuck")


def _of_writer(task: Task, settings: Settings) -> Iterator[Symptom]:
    """Each transaction of a writer is a heartbeat, and takes no longer than Neo4j allows, with one retry."""
    max_seconds = 2 * settings.transaction_seconds + settings.writer_lease_seconds
    if task.seconds <= max_seconds or settings.graph_address is None:
        return
    graph = Graph.at(settings.graph_address)
    try:
        beat = heartbeat(graph)
    except (DriverError, Neo4jError):
        return  # it waits for the graph
    finally:
        graph.close()
    if beat is not None and beat[1] > max_seconds:
        text = f"{task.process} is loading, but has committed nothing for {beat[1]:.0f} s"
        yield Symptom(("writer", task.id, beat[0]), text)


def _failing(client: redis.Redis, snapshot: WorkerSnapshot) -> Iterator[str]:
    """Tasks of the fleet that only fail, in the workers that serve them. A scope that does is no worker's fault."""
    for run, failing in _repeated(client, under_way(client)):
        if failing.what in FLEET_TASKS and queue_of(failing.what) in snapshot.queues:
            yield f"run {run}: {failing}"


def _repeated(client: redis.Redis, runs: Iterable[str]) -> Iterator[tuple[str, Failing]]:
    """What has failed so often in a row that it is no accident, with its run."""
    for run in runs:
        for failing in Ledger(client, run).failing():
            if failing.times >= MAX_FAILURES:
                yield run, failing


def _blocked(client: redis.Redis) -> list[str]:
    full = BrokerMemory.of(client).problem
    runs = under_way(client)
    infos = (Ledger(client, run).info() for run in runs)
    waits = [f"run {info.id} waits: {info.blocked_by}" for info in infos if info and info.blocked_by]
    failing = [f"run {run}: {failing}" for run, failing in _repeated(client, runs)]
    return [*([full] if full else []), *waits, *failing[:MAX_SHOWN]]
