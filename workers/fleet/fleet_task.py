"""The class of the fleet's tasks: each ends in time, and a message of another version is left to its workers."""

from __future__ import annotations

import logging
from typing import Any

from celery import Task

from loaders.ledger.version import VERSION
from workers.fleet.process import process

log = logging.getLogger(__name__)


class FleetTask(Task[Any, Any]):
    """The sweeper of the message's version publishes it again. One without a version is judged by its run's ledger.

    Celery's own time limit kills a process of its pool; threads it can't kill.
    """

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        version = self.request.get("chartfleet_ledger") or VERSION
        if version != VERSION:
            text = f"left to a worker of the ledger's version {version}: this one's is {VERSION}"
            log.warning("%s %s: %s", self.name, args, text)
            return text
        own = process()
        with own.watchdog.limit(self.name, self.time_limit or own.settings.hard_time_limit_seconds):
            return super().__call__(*args, **kwargs)
