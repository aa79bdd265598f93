"""Does a process of the fleet get on? What `chartfleet health` says, for the health check of a container.

Unhealthy means that starting the process anew would help. One that waits for a broker or a graph that is away is
healthy, and says what it waits for: its successor would wait as well, and begin from the start what this one holds.
"""

from __future__ import annotations

import http.client
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

import redis
from celery import Celery
from celery.beat import beat_nodename
from celery.utils.nodenames import default_nodename, host_format, nodesplit
from celery.worker import state as worker_state
from celery.worker.control import inspect_command
from kombu.exceptions import OperationalError
from neo4j.exceptions import DriverError, Neo4jError

from loaders.graph import Graph
from loaders.ledger import Ledger, RunState, State
from loaders.scope import Scope
from loaders.writer import heartbeat_age_seconds
from workers.fleet import barrier, loading, local_fleet
from workers.fleet.process import name_of_process
from workers.fleet.sweeper import under_way
from workers.settings.settings import Settings

RESPONSE_SECONDS: Final = 5
LOOK_AGAIN_SECONDS: Final = 5  # one that gets on takes a message that waits, ends a task, or signs, within this time
KILL_SECONDS: Final = 60  # past its time limit a task is killed; it isn't to the second


@dataclass(frozen=True, slots=True)
class Health:
    """Does it get on, and in one line: what is wrong, or what it does."""

    well: bool
    text: str


@dataclass(frozen=True, slots=True)
class Task:
    """A task that a worker has begun; `process`: where it runs, by the name that the ledger knows."""

    id: str
    name: str
    args: tuple[Any, ...]
    process: str
    seconds: float
    limit_seconds: float | None


@dataclass(frozen=True, slots=True)
class WorkerSnapshot:
    """What a worker has in hand at one time. `waiting`: ids of messages that it holds and hasn't begun."""

    queues: tuple[str, ...]
    slots: int
    begun: int
    waiting: tuple[str, ...]
    tasks: tuple[Task, ...]

    @property
    def free(self) -> int:
        return self.slots - len(self.tasks)


@dataclass(frozen=True, slots=True)
class Symptom:
    """What shows that a worker is stuck, if the next look shows the same thing with nothing changed."""

    about: tuple[Any, ...]
    text: str = field(compare=False)


@inspect_command(name="chartfleet_progress")
def progress(state: Any) -> dict[str, Any]:
    """What this worker has in hand. It looks into its own memory only, as no message is taken meanwhile."""
    active = list(worker_state.active_requests)
    return {
        "queues": sorted(queue.name for queue in state.consumer.task_consumer.queues),
        "slots": state.consumer.pool.num_processes,
        "begun": worker_state.all_total_count[0],
        "waiting": [request.id for request in list(worker_state.reserved_requests) if request not in active],
        "tasks": [
            {
                "id": request.id,
                "name": request.name,
                "args": request.args,
                "process": name_of_process(request.worker_pid or os.getpid()),
                "seconds": time.time() - request.time_start,
                "limit_seconds": request.time_limits[0] or request.task.time_limit,
            }
            for request in active
        ],
    }


def worker(app: Celery, client: redis.Redis, settings: Settings, hostname: str | None) -> Health:
    """The worker of this host that was started with this `--hostname`; without one, each worker of this host."""
    if hostname:
        return _of_node(app, client, settings, host_format(default_nodename(local_fleet.node(hostname))))
    here = host_format("%h")
    try:
        client.ping()
        nodes = _nodes(app, here)
    except (redis.RedisError, OperationalError) as error:
        return _waits_for_broker(f"the workers of {here}", error)
    found = [_of_node(app, client, settings, node) for node in nodes]
    if not found:
        return Health(False, f"no worker of {here} answers")
    return Health(all(one.well for one in found), "; ".join(one.text for one in found))


def _nodes(app: Celery, host: str) -> list[str]:
    """The workers of a host, by what answers."""
    responses = app.control.ping(timeout=RESPONSE_SECONDS) or []
    return sorted({node for response in responses for node in response if nodesplit(node)[1] == host})


def _of_node(app: Celery, client: redis.Redis, settings: Settings, node: str) -> Health:
    try:
        client.ping()
        look = _look(app, node) or _look(app, node)
        if look is None:
            return Health(False, f"{node} isn't responding")
        symptoms = set(_symptoms(look, client, settings))
        if symptoms:
            time.sleep(LOOK_AGAIN_SECONDS)
            if (look := _look(app, node)) is None:
                return Health(False, f"{node} isn't responding any more")
            symptoms &= set(_symptoms(look, client, settings))
        if symptoms:
            return Health(False, f"{node}: {'; '.join(sorted(symptom.text for symptom in symptoms))}")
        blocked = _blocked(client) if loading.QUEUE in look.queues else []
    except (redis.RedisError, OperationalError) as error:
        return _waits_for_broker(node, error)
    return Health(True, "; ".join([f"{node}: {len(look.tasks)} of {look.slots} at work", *blocked]))


def beat(app: Celery, client: redis.Redis) -> Health:
    """The beat of this host. Celery's responses for as long as its schedule is looked at, and no longer."""
    node = beat_nodename()
    try:
        client.ping()
        responses = app.control.ping(destination=[node], timeout=RESPONSE_SECONDS)
    except (redis.RedisError, OperationalError) as error:
        return _waits_for_broker(node, error)
    return Health(True, f"{node}: ticks") if responses else Health(False, f"{node} isn't responding: it isn't ticking")


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
    return Health(True, f"{node}: can't be asked, the broker isn't responding ({type(error).__name__})")


def _look(app: Celery, node: str) -> WorkerSnapshot | None:
    responses = app.control.broadcast(
        "chartfleet_progress", destination=[node], reply=True, timeout=RESPONSE_SECONDS, limit=1
    )
    for response in responses or ():
        told: Mapping[str, Any] = response[node]
        if "error" in told:  # it is about to start, or to end
            continue
        tasks = (Task(**{**task, "args": tuple(task["args"])}) for task in told["tasks"])
        return WorkerSnapshot(tuple(told["queues"]), told["slots"], told["begun"], tuple(told["waiting"]), tuple(tasks))
    return None


def _symptoms(look: WorkerSnapshot, client: redis.Redis, settings: Settings) -> Iterable[Symptom]:
    if look.free > 0:
        for message in look.waiting:
            yield Symptom(("in hand", message), "holds a message and doesn't begin it, though a process is free")
        for queue in look.queues:
            if client.llen(queue):
                about = ("queue", queue, look.begun)
                yield Symptom(about, f"takes nothing from the queue {queue}, though a process is free")
    for task in look.tasks:
        if task.limit_seconds and task.seconds > task.limit_seconds + KILL_SECONDS:
            limit = f"{task.limit_seconds:g} s"
            yield Symptom(("limit", task.id), f"{task.name} goes on for {task.seconds:.0f} s; its limit is {limit}")
        elif task.seconds > settings.lease_seconds:
            yield from _of_ledger(task, client)
        if task.name == loading.TASK:
            yield from _of_writer(task, settings)


def _of_ledger(task: Task, client: redis.Redis) -> Iterable[Symptom]:
    """A process that gets on renews its leases, or notices that it lost one and stops."""
    match task.args:
        case (run, scope):
            unit = Ledger(client, run).unit(Scope.parse(scope))
            if unit is None or unit.worker != task.process or unit.state in (State.PLANNED, State.QUARANTINED):
                yield Symptom(("lost", task.id), f"{scope} was taken from {task.process}, which stands still")
        case (run,) if task.name == barrier.TASK:
            ledger = Ledger(client, run)
            if ledger.state() is RunState.ANALYSING and ledger.analyst() != task.process:
                yield Symptom(("lost", task.id), f"the analysis was taken from {task.process}, which stands still")


def _of_writer(task: Task, settings: Settings) -> Iterable[Symptom]:
    """Each transaction of a writer signs in the graph, and none lasts longer than Neo4j lets it, tried again once."""
    most = 2 * settings.transaction_seconds + settings.writer_lease_seconds
    if task.seconds <= most or settings.graph_address is None:
        return
    graph = Graph.at(settings.graph_address)
    try:
        seconds = heartbeat_age_seconds(graph)
    except (DriverError, Neo4jError):
        return  # it waits for the graph
    finally:
        graph.close()
    if seconds is not None and seconds > most:
        yield Symptom(("writer", task.id), f"{task.process} loads, and committed nothing for {seconds:.0f} s")


def _blocked(client: redis.Redis) -> list[str]:
    infos = (Ledger(client, run).info() for run in under_way(client))
    return [f"run {info.id} waits: {info.blocked_by}" for info in infos if info and info.blocked_by]
