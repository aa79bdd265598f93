"""The class of the fleet's tasks: a message of another version is left to a worker that understands it."""

from __future__ import annotations

import logging
from typing import Any

from celery import Task

from loaders.ledger.version import VERSION

log = logging.getLogger(__name__)


class VersionedTask(Task[Any, Any]):
    """The sweeper of the message's version publishes it again. One without a version is judged by its run's ledger."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        version = self.request.get("chartfleet_ledger") or VERSION
        if version != VERSION:
            text = f"left to a worker of the ledger's version {version}: this one's is {VERSION}"
            log.warning("%s %s: %s", self.name, args, text)
            return text
        return super().__call__(*args, **kwargs)
