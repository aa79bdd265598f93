"""What workers do on a message of Celery's remote control, which everyone who may write to Redis can send.

They tell what they do; nobody stops, slows, feeds or reconfigures them that way. To stop a worker, stop its process.
"""

from __future__ import annotations

from typing import Final

from celery.worker.control import Panel

# What the health check, `sync` and Flower ask. All others of Celery change the worker: they end it or its tasks,
# make it take other queues, load modules, resize its pool, or write files.
ALLOWED: Final = frozenset(
    {
        "active",
        "active_queues",
        "chartfleet_progress",
        "chartfleet_readiness",
        "clock",
        "conf",  # passwords are masked
        "disable_events",
        "enable_events",
        "heartbeat",
        "ping",
        "query_task",
        "registered",
        "report",  # the same as `conf`
        "reserved",
        "revoked",
        "scheduled",
        "stats",
    }
)


def restrict() -> None:
    """From here on, this process responds to no other command."""
    for name in set(Panel.data) - ALLOWED:
        del Panel.data[name]
