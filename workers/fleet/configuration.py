"""Celery's configuration, from the settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from celery.schedules import BaseSchedule, crontab, schedule
from kombu import Exchange, Queue

from workers.fleet.beat import ENTRY
from workers.fleet.queues import COORDINATOR, SYNC_TASK, every_queue, queue_of
from workers.settings.settings import Settings

CHORD_SECONDS: Final = 3600  # Celery forgets a chord of which no task has ended for so long; the ledger calls back
BEAT_SECONDS: Final = 30  # beat checks its schedule at least this often; after twice that it counts as stopped


def configuration(settings: Settings) -> dict[str, object]:
    """Celery's configuration. Before changing a value, read the reason beside it."""
    transport = {"visibility_timeout": settings.visibility_timeout_seconds, "socket_keepalive": True}
    return {
        "broker_url": settings.broker,
        "result_backend": settings.broker,
        "broker_transport_options": transport,
        "result_backend_transport_options": {**transport, "result_chord_ordered": False},  # a list is half as large
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        # A Redis that refuses a command, because its memory is full, is waited for like one that is away.
        "broker_channel_error_retry": True,
        # The ledger decides what a lost connection means; a fetch goes on and reports to it.
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "task_acks_late": True,
        "task_acks_on_failure_or_timeout": True,
        # Only the sweeper publishes again: otherwise a scope that crashes its worker would come back forever.
        "task_reject_on_worker_lost": False,
        "worker_prefetch_multiplier": 1,
        # Fetching is waiting: a process of threads keeps many scopes in flight. What ends or blocks such a process is
        # told apart from what only was in it: see workers.fleet.alone and workers.fleet.watchdog.
        "worker_pool": "threads",
        "worker_concurrency": settings.scopes_in_flight,
        "task_time_limit": settings.hard_time_limit_seconds,
        "task_serializer": "json",
        "result_serializer": "json",
        "accept_content": ["json"],
        "task_compression": "zlib",
        "task_track_started": True,
        # The ledger has the outcomes, and Flower is told of results by events: none is stored. A chord on Redis counts
        # its tasks itself; what it keeps for that goes with its last task, or expires.
        "task_ignore_result": True,
        "task_send_sent_event": True,
        "worker_send_task_events": True,
        "result_expires": CHORD_SECONDS,
        "task_default_queue": COORDINATOR,
        "task_queues": _queues(),
        "task_routes": (route,),
        "worker_hijack_root_logger": True,
        "worker_log_color": False,  # what controls a terminal is shown, not sent: colors would be, too
        "timezone": "UTC",
        "beat_schedule": _beat_schedule(settings.schedule),
        # So that the health check can ask beat whether it is running.
        "beat_enable_remote_control": True,
        "beat_max_loop_interval": BEAT_SECONDS,
    }


def _queues() -> list[Queue]:
    """All of them, so that Flower shows them whether or not their workers respond.

    Each has an exchange of its own name, as Celery gives one that isn't declared.
    """
    return [Queue(name, Exchange(name), routing_key=name) for name in every_queue()]


def route(
    name: str,
    args: Sequence[object],
    kwargs: Mapping[str, object],
    options: Mapping[str, object],
    task: object = None,
    **_: object,
) -> dict[str, str]:
    """Celery's hook for the queue of a task."""
    return {"queue": queue_of(name)}


def _beat_schedule(text: str | None) -> dict[str, dict[str, Any]]:
    return {ENTRY: {"task": SYNC_TASK, "schedule": parse_schedule(text)}} if text else {}


def parse_schedule(text: str) -> BaseSchedule:
    """Seconds, or five fields as in a crontab."""
    return schedule(float(text)) if text.isdigit() else crontab.from_string(text)
