"""What workers respond when they are asked: what they serve and lack, and what they have in hand."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NotRequired, TypedDict

from celery import Celery
from celery.utils.nodenames import nodesplit
from celery.worker import state as worker_state
from celery.worker.control import inspect_command
from celery.worker.request import Request

from workers.fleet import own_settings, queues
from workers.fleet.process import name_of_process, process
from workers.fleet.readiness import first_line
from workers.settings.settings import RunConfig, SettingError, masked

_READINESS: Final = "chartfleet_readiness"
_PROGRESS: Final = "chartfleet_progress"
RESPONSE_SECONDS: Final = 5


# -- readiness for a run


class Readiness(TypedDict):
    """What a worker serves and lacks.

    queues    those it serves
    database  the id of the database it writes to; None where it doesn't write
    missing   what it lacks for the run, one line each
    off       modules that aren't configured for it, and what enables each
    key       the fingerprint of its fleet key, for the nonce of the question
    """

    queues: list[str]
    database: str | None
    missing: list[str]
    off: dict[str, str]
    key: NotRequired[str]


@inspect_command(name=_READINESS, args=[("modules", list), ("options", dict), ("directory", str), ("nonce", str)])
def _readiness(
    state: Any,
    modules: Iterable[str] = (),
    options: Mapping[str, Any] | None = None,
    directory: str | None = None,
    nonce: str = "",
) -> Readiness:
    """Runs in the worker."""
    own, served = process(), _served_queues(state)
    here = own_settings.check(own.settings, [name for name in modules if queues.reaches(name, served)], options or {})
    missing = here.lacks
    database: str | None = None
    if queues.LOADER in served:
        from neo4j.exceptions import DriverError, Neo4jError  # loaded by workers that write

        missing += filter(None, [own_settings.foreign_directory(own.settings, directory)])
        try:
            database = own.writer.database_id()
        except (DriverError, Neo4jError) as error:
            missing.append(f"the graph {masked(own.settings.neo4j_uri)} isn't responding: {first_line(error)}")
        except SettingError as error:
            missing.append(str(error))
    return {
        "queues": served,
        "database": database,
        "missing": missing,
        "off": here.off,
        "key": own.fleet_key.fingerprint(nonce),
    }


def ask_readiness(app: Celery, config: RunConfig, *, seconds: float, nonce: str) -> list[tuple[str, Readiness]]:
    """The responses that arrive within the time, by the worker's name; several workers may have the same."""
    directory = config["analysis_job_directory"]
    arguments = {"modules": config["modules"], "options": config["options"], "directory": directory, "nonce": nonce}
    replies: list[dict[str, Any]] = (
        app.control.broadcast(_READINESS, arguments=arguments, reply=True, timeout=seconds) or []
    )
    return [(name, response) for reply in replies for name, response in reply.items() if "queues" in response]


def registered(app: Celery) -> set[str]:
    """The names of the workers that listen to the fleet's questions, and of those that ended without a word."""
    control: Any = app.control  # its types are incomplete
    exchange: str = control.mailbox.exchange.name
    with app.connection_for_write() as connection:
        channel: Any = connection.default_channel
        return {queue.removesuffix(f".{exchange}") for _, _, queue in channel.get_table(exchange)}


# -- progress


class _TaskReply(TypedDict):
    id: str
    name: str
    args: list[str]
    process: str
    seconds: float
    limit_seconds: float | None


class _Progress(TypedDict):
    queues: list[str]
    unheard: NotRequired[list[str]]
    slots: int
    begun: int
    waiting: list[str]
    tasks: list[_TaskReply]


@dataclass(frozen=True, slots=True)
class Task:
    """A task that a worker has begun; `process`: where it runs, by the name that the ledger knows."""

    id: str
    name: str
    args: tuple[str, ...]
    process: str
    seconds: float
    limit_seconds: float | None


@dataclass(frozen=True, slots=True)
class WorkerSnapshot:
    """What a worker has in hand at one moment.

    unheard  those of its queues that it doesn't consume from: lost when it connected to the broker again
    waiting  ids of messages that it holds and hasn't begun
    """

    queues: tuple[str, ...]
    slots: int
    begun: int
    waiting: tuple[str, ...]
    tasks: tuple[Task, ...]
    unheard: tuple[str, ...] = ()

    @property
    def free(self) -> int:
        return self.slots - len(self.tasks)


@inspect_command(name=_PROGRESS)
def _progress(state: Any) -> _Progress:
    """Runs in the worker. It reads only the worker's own memory, because no message is taken in the meantime."""
    active: list[Request] = list(worker_state.active_requests)
    reserved: list[Request] = list(worker_state.reserved_requests)
    served = _served_queues(state)
    return {
        "queues": served,
        "unheard": [queue for queue in served if not state.consumer.task_consumer.consuming_from(queue)],
        "slots": state.consumer.pool.num_processes,
        "begun": worker_state.all_total_count[0],
        "waiting": [request.id for request in reserved if request not in active],
        "tasks": [_task(request) for request in active],
    }


def _task(request: Request) -> _TaskReply:
    started: float = request.time_start or time.time()
    return {
        "id": request.id,
        "name": request.name,
        "args": request.args,
        "process": name_of_process(int(request.worker_pid) if request.worker_pid else os.getpid()),
        "seconds": time.time() - started,
        "limit_seconds": request.time_limits[0] or request.task.time_limit,
    }


def _served_queues(state: Any) -> list[str]:
    """Those that it was started for, whether or not it consumes from them just now."""
    names: Iterable[str] = state.app.amqp.queues.consume_from
    return sorted(names)


def ask_progress(app: Celery, node: str) -> WorkerSnapshot | None:
    """None where the worker doesn't respond."""
    replies: list[dict[str, Any]] = (
        app.control.broadcast(_PROGRESS, destination=[node], reply=True, timeout=RESPONSE_SECONDS, limit=1) or []
    )
    for reply in replies:
        if "error" in reply[node]:  # it is starting, or stopping
            continue
        progress: _Progress = reply[node]
        return WorkerSnapshot(
            queues=tuple(progress["queues"]),
            slots=progress["slots"],
            begun=progress["begun"],
            waiting=tuple(progress["waiting"]),
            tasks=tuple(_read_task(task) for task in progress["tasks"]),
            unheard=tuple(progress.get("unheard", ())),  # a worker of an older version doesn't say it
        )
    return None


def _read_task(task: _TaskReply) -> Task:
    args = tuple(task["args"])
    return Task(task["id"], task["name"], args, task["process"], task["seconds"], task["limit_seconds"])


# -- presence


def nodes_of(app: Celery, host: str) -> list[str]:
    """The workers of a host that respond."""
    replies = app.control.ping(timeout=RESPONSE_SECONDS) or []
    return sorted({node for reply in replies for node in reply if nodesplit(node)[1] == host})


def responds(app: Celery, node: str) -> bool:
    return bool(app.control.ping(destination=[node], timeout=RESPONSE_SECONDS))
