"""What beat logs of the schedule: when the next run starts, and that it asked for one."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Final

from celery import signals
from celery.beat import ScheduleEntry, Service

from workers.fleet.queues import SYNC_TASK

log = logging.getLogger(__name__)

ENTRY: Final = "sync"  # its name in the schedule


def log_runs(service: Service) -> None:
    """In beat's process, from its start to its end."""
    entry: ScheduleEntry | None = service.scheduler.schedule.get(ENTRY)
    if entry is None or (schedule := entry.schedule) is None:
        return
    due, seconds = entry.is_due()
    if due:
        log.info("a run is due now")
    else:
        _log_next(timedelta(seconds=seconds))

    def log_sent(**_: object) -> None:
        log.info("asked a coordinator for a run")
        _log_next(schedule.remaining_estimate(schedule.now()))

    signals.after_task_publish.connect(log_sent, sender=SYNC_TASK, weak=False)


def _log_next(wait: timedelta) -> None:
    log.info("the next run starts at %s", f"{datetime.now(UTC) + wait:%Y-%m-%d %H:%M:%S} UTC")
