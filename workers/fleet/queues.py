"""The queues of the fleet, and which task goes to which queue."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

import redis

from loaders.scope import is_planning, provider_of
from tasks.engine import catalog

COORDINATOR: Final = "coordinator"
LOADER: Final = "loader"
FETCH: Final = "fetch"  # in `--queues`: the queue of every provider

LOAD_TASK: Final = "chartfleet.load"
ANALYSE_TASK: Final = "chartfleet.analyse"
ADMIT_TASK: Final = "chartfleet.admit"
SYNC_TASK: Final = "chartfleet.sync"
FLEET_TASKS: Final = (LOAD_TASK, ANALYSE_TASK, ADMIT_TASK)  # of a run, besides those of its scopes


def fetch_queue(provider: str) -> str:
    return f"{FETCH}.{provider}"


def every_queue() -> list[str]:
    return [COORDINATOR, *expand([FETCH]), LOADER]


def expand(names: Iterable[str]) -> list[str]:
    """Celery's queues for what `--queues` names: `fetch` stands for the queues of all providers."""
    queues: list[str] = []
    for name in names:
        queues += [fetch_queue(provider) for provider in catalog.declared()] if name == FETCH else [name]
    return queues


def queue_of(task: str) -> str:
    """The queue of a task, by its name: that of a scope is its type's."""
    if task in (LOAD_TASK, ANALYSE_TASK):
        return LOADER
    provider = provider_of(task)
    return fetch_queue(provider) if provider in catalog.declared() and not is_planning(task) else COORDINATOR


def needed(providers: Iterable[str]) -> list[str]:
    """The queues that a run over these providers needs."""
    return [COORDINATOR, LOADER, *map(fetch_queue, providers)]


def reaches(provider: str, queues: Collection[str]) -> bool:
    """Does a worker of these queues call the provider's API? A coordinator does, to list tenants and regions."""
    return COORDINATOR in queues or fetch_queue(provider) in queues


def length(client: redis.Redis, queue: str) -> int:
    """How many messages wait in a queue."""
    return int(client.llen(queue))
