"""The Celery app, and every task of the fleet.

    celery -A workers.app worker -Q coordinator,fetch.aws     any number of these
    celery -A workers.app worker -Q loader -c 1               the writer

A resource type is a task of its own name, so that Flower and the metrics show time and failures per type.
"""

from __future__ import annotations

import logging
import multiprocessing
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import Final

import celery.loaders.app  # noqa: F401  # Celery would import it later, with the working directory on the path
import redis
from celery import Celery, Task, signals
from celery.apps.worker import Worker
from celery.beat import Service

from loaders.scope import Scope, regions_type, tenants_type
from tasks.engine import catalog, registry
from workers.fleet import (
    attempt,
    beat,
    local,
    outgoing_text,
    own_settings,
    planning,
    readiness,
    remote_control,
    sweeper,
    transport,
)
from workers.fleet import inspect as inspect  # the commands that it adds to workers
from workers.fleet.attempt import make_attempt
from workers.fleet.configuration import configuration
from workers.fleet.events import EventsTogether
from workers.fleet.fleet_task import FleetTask
from workers.fleet.outgoing_text import without_secrets
from workers.fleet.process import name_node, process
from workers.fleet.publisher import Publisher
from workers.fleet.queues import ADMIT_TASK, ANALYSE_TASK, COORDINATOR, FLEET_TASKS, LOAD_TASK, SYNC_TASK, fetch_queue
from workers.settings import process_settings

# The analysis has a lease of its own, and users' jobs may take hours. If Redis redelivers its message in between, the
# second attempt finds the barrier taken.
ANALYSIS_SECONDS: Final = 24 * 3600

transport.use()
app: Celery = Celery("chartfleet", task_cls=FleetTask)
app.add_defaults(lambda: configuration(process_settings.current()))  # called when Celery first needs it

app.steps["consumer"].add(EventsTogether)

publisher: Final = Publisher(app)

# Without a lock: a child of a pool that forks, killed while it holds one, would stop all others.
_shutting_down = multiprocessing.RawValue("b", 0)


def stopping() -> bool:
    """Is this worker shutting down? A fetch then gives its scope back at once."""
    return bool(_shutting_down.value)


# -- the processes of Celery


@signals.celeryd_init.connect
def _before_setup(sender: str, options: Mapping[str, object], **_: object) -> None:
    name_node(sender)
    remote_control.restrict()
    app.amqp.queues.select([COORDINATOR])  # unless -Q selects others: all queues are declared, not all are served
    declare_tasks(_words(options.get("queues")) or [COORDINATOR])


@signals.after_setup_logger.connect
@signals.after_setup_task_logger.connect
def _guard_logs(logger: logging.Logger, **_: object) -> None:
    outgoing_text.guard_logs(logger.handlers)


@signals.worker_init.connect
def _before_pool(**_: object) -> None:
    readiness.check_worker(process())
    own_settings.restrict_variables(process().settings)
    local.end_with_stdin()


@signals.worker_shutting_down.connect
def _shut_down(**_: object) -> None:
    _shutting_down.value = 1  # children of the pool see it: it is shared memory


@signals.worker_shutdown.connect
def _close_clients(**_: object) -> None:
    process().close_clients()


@signals.worker_ready.connect
def _start_sweeper(sender: Worker, **_: object) -> None:
    sweeper.start(process(), publisher)


@signals.beat_init.connect
def _log_next_run(sender: Service, **_: object) -> None:
    beat.log_runs(sender)


# -- failures in a row; those of scopes are counted where a scope is fetched


@signals.task_failure.connect
def _count_failure(sender: Task[..., object], args: Sequence[str], exception: BaseException, **_: object) -> None:
    if sender.name in FLEET_TASKS:
        with suppress(redis.RedisError):
            process().ledger(args[0]).failed_again(sender.name, exception)


@signals.task_success.connect
def _count_success(sender: Task[..., object], **_: object) -> None:
    if sender.name in FLEET_TASKS:
        with suppress(redis.RedisError):
            process().ledger((sender.request.args or ("",))[0]).succeeded(sender.name)


# -- the tasks


@app.task(name=LOAD_TASK)
@without_secrets
def load(run: str) -> None:
    """Commit what waits for the writer, and clean what is complete."""
    from workers.fleet import loading  # with the graph's driver: workers that need none are smaller without

    loading.load(process(), run, publisher, stopping)


@app.task(name=ANALYSE_TASK, time_limit=ANALYSIS_SECONDS)
@without_secrets
def analyse(run: str) -> None:
    """Open the barrier if the run is settled, and run everything that comes after it."""
    from workers.fleet import barrier

    barrier.analyse(process(), run)


@app.task(name=ADMIT_TASK)
@without_secrets
def admit(run: str) -> None:
    """Admit tenants up to the window."""
    ledger = process().ledger(run)
    if not attempt.left(process(), ledger):
        publisher.publish_scopes(run, ledger.admit())


@app.task(name=SYNC_TASK)
@without_secrets
def sync() -> str:
    """Start a run with this worker's settings: what beat calls."""
    from workers.fleet import coordinator

    return coordinator.start_scheduled(process(), publisher)


@without_secrets
def _attempt(run: str, unit: str) -> str:
    scope = Scope.parse(unit)
    return make_attempt(process(), run, scope, publisher, stopping, planning.work_of(scope))


def declare_tasks(queues: Collection[str]) -> None:
    """The tasks of these queues: a worker loads the declarations and the clients of what it serves."""
    for provider in catalog.declared():
        if fetch_queue(provider) in queues:
            for type_ in registry.of(provider):
                app.task(name=type_.name)(_attempt)
        if COORDINATOR in queues:
            app.task(name=tenants_type(provider))(_attempt)
            app.task(name=regions_type(provider))(_attempt)


def _words(queues: object) -> list[str]:
    """As Celery has them: text, or a list."""
    return queues.split(",") if isinstance(queues, str) else [str(queue) for queue in queues or ()]  # type: ignore[attr-defined]
