"""The Celery app: its configuration, its queues, and every task of the fleet.

    celery -A workers.app worker -Q coordinator,fetch.aws     any number of these
    celery -A workers.app worker -Q loader -c 1               the writer

A resource type is a task of its own name, so that Flower and the metrics show time and failures per type.
"""

from __future__ import annotations

import logging
import multiprocessing
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import celery.loaders.app  # noqa: F401  # Celery would import it later, with the working directory first on the path
from celery import Celery, chord, signals
from celery.schedules import crontab
from kombu.exceptions import OperationalError

from loaders.ledger import Event
from loaders.scope import Scope, regions_type, tenants_type
from tasks.engine import registry
from workers.fleet import barrier, coordinator, fetching, loading, local_fleet, readiness, sweeper
from workers.fleet import health as health  # its question to workers
from workers.fleet.process import process
from workers.settings.settings import Settings

log = logging.getLogger(__name__)

COORDINATOR: Final = "coordinator"
FETCH: Final = "fetch"  # fetch.<provider>
# The analysis has a lease of its own, and your jobs may take hours. Where Redis hands its message out again, that finds
# the barrier taken.
ANALYSIS_SECONDS: Final = 24 * 3600
BEAT_SECONDS: Final = 30  # beat looks at its schedule at least so often; Celery calls it dead after twice that


def configuration(settings: Settings) -> dict[str, Any]:
    """Celery's configuration. Nothing of it may be changed without the reason given beside it becoming untrue."""
    transport = {"visibility_timeout": settings.visibility_timeout_seconds, "socket_keepalive": True}
    return {
        "broker_url": settings.broker,
        "result_backend": settings.broker,
        "broker_transport_options": transport,
        "result_backend_transport_options": transport,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        # The ledger decides what a lost connection means; a fetch under way goes on and tells it.
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "task_acks_late": True,
        "task_acks_on_failure_or_timeout": True,
        # only the sweeper enqueues again: otherwise a deadly scope goes round for ever
        "task_reject_on_worker_lost": False,
        "worker_prefetch_multiplier": 1,
        "task_time_limit": settings.hard_time_limit_seconds,
        "task_serializer": "json",
        "result_serializer": "json",
        "accept_content": ["json"],
        "task_compression": "zlib",
        "task_track_started": True,
        "task_send_sent_event": True,
        "worker_send_task_events": True,
        "result_expires": 6 * 3600,
        "task_default_queue": COORDINATOR,
        "task_routes": (route,),
        "worker_hijack_root_logger": True,
        "timezone": "UTC",
        "beat_schedule": _beat(settings.schedule),
        # so that it can be asked whether it ticks
        "beat_enable_remote_control": True,
        "beat_max_loop_interval": BEAT_SECONDS,
    }


def route(name: str, args: Any, kwargs: Any, options: Any, task: Any = None, **_: Any) -> dict[str, str] | None:
    """The queue of a task, by its name."""
    if name in registry.types():
        return {"queue": f"{FETCH}.{registry.types()[name].provider}"}
    if name in (loading.TASK, barrier.TASK):
        return {"queue": loading.QUEUE}
    return {"queue": COORDINATOR}


def _beat(schedule: str | None) -> dict[str, Any]:
    if not schedule:
        return {}
    when = float(schedule) if schedule.isdigit() else crontab.from_string(schedule)
    return {"sync": {"task": "chartfleet.sync", "schedule": when}}


app = Celery("chartfleet")
app.conf.update(configuration(Settings.load()))

# Without a lock: a child that is killed while it holds one would stop all others.
_shutting_down = multiprocessing.RawValue("b", 0)


@signals.worker_init.connect
def _before_pool(**_: Any) -> None:
    readiness.check_worker(process())
    local_fleet.die_with_stdin()


@signals.worker_shutting_down.connect
def _shut_down(**_: Any) -> None:
    _shutting_down.value = 1  # children of the pool see it: they share it since they were forked


@signals.worker_ready.connect
def _start_sweeper(sender: Any = None, **_: Any) -> None:
    sweeper.start(process(), publish_units, publish)


def stopping() -> bool:
    """Does this worker shut down? A fetch then gives its scope back at the next page."""
    return bool(_shutting_down.value)


def publish(run: str, events: Iterable[Event]) -> None:
    """Publish what a transition of the ledger asked for."""
    with _repaired_by_the_sweeper(run):
        for event in events:
            match event:
                case Event.LOAD:
                    load.delay(run)
                case Event.ADMIT:
                    admit.delay(run)
                case Event.BARRIER:
                    analyse.delay(run)


def publish_units(run: str, units: Iterable[Scope]) -> None:
    """Publish scopes, or planning units, each as the task of its type."""
    with _repaired_by_the_sweeper(run):
        for unit in units:
            app.send_task(unit.type, args=(run, unit.id))


@contextmanager
def _repaired_by_the_sweeper(run: str) -> Iterator[None]:
    """A broker that is away just now is no failure of the scope: what could not be sent is missed, and sent again."""
    try:
        yield
    except OperationalError as error:
        log.warning("run %s: a message wasn't sent (%s); the sweeper sends it", run, error)


def publish_tenant(run: str, scopes: list[Scope]) -> None:
    """One chord per tenant. Its callback asks the ledger whether the run is settled: the chord decides nothing."""
    if scopes:
        chord([app.signature(s.type, args=(run, s.id), immutable=True) for s in scopes])(analyse.si(run))


@app.task(name=loading.TASK)
def load(run: str) -> None:
    """Commit what waits for the writer, and clean what is complete."""
    loading.load(process(), run, publish, stopping)


@app.task(name=barrier.TASK, time_limit=ANALYSIS_SECONDS)
def analyse(run: str) -> None:
    """Open the barrier if the run is settled, and run everything that comes after it."""
    barrier.analyse(process(), run)


@app.task(name="chartfleet.admit")
def admit(run: str) -> None:
    """Admit tenants up to the window."""
    publish_units(run, process().ledger(run).admit())


@app.task(name="chartfleet.sync")
def sync() -> str:
    """Start a run with this worker's settings: what beat calls."""
    return coordinator.start_scheduled(process(), publish_units)


def _declare_tasks() -> None:
    for name in registry.types():
        app.task(name=name)(_fetch)
    for name in registry.providers():
        app.task(name=tenants_type(name))(_plan_tenants)
        app.task(name=regions_type(name))(_plan_regions)


def _fetch(run: str, unit: str) -> None:
    fetching.fetch(process(), run, Scope.parse(unit), publish, publish_units, stopping)


def _plan_tenants(run: str, unit: str) -> None:
    coordinator.plan_tenants(process(), run, Scope.parse(unit), publish)


def _plan_regions(run: str, unit: str) -> None:
    coordinator.plan_regions(process(), run, Scope.parse(unit), publish, publish_tenant)


_declare_tasks()
