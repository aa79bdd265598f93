"""The command lines of Celery's own programs: worker, beat and Flower."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterable, Sequence
from typing import Final

from workers.fleet.queues import expand

# Flower's task list: a scope is known by its type (the name) and its tenant and region (the arguments).
FLOWER_COLUMNS: Final = ("name", "args", "state", "result", "runtime", "worker")


def worker_command(
    queues: Sequence[str], concurrency: int | None, name: str | None, options: Iterable[str] = ()
) -> list[str]:
    """A worker that serves these queues. `options` are Celery's own."""
    command = _celery("worker", "--queues", ",".join(expand(queues)))
    command += ["--concurrency", str(concurrency)] if concurrency else []
    command += ["--hostname", node_name(name or unique_name(queues))]
    return [*command, "--loglevel", "INFO", "--without-gossip", "--without-mingle", *options]


def beat_command(options: Iterable[str] = ()) -> list[str]:
    """Beat. At the level INFO it logs what it sends, and when the next run starts."""
    return [*_celery("beat", "--loglevel", "INFO"), *options]


def flower_command(options: Iterable[str] = ()) -> list[str]:
    """Flower can stop workers: it listens on 127.0.0.1 only, unless `options` say otherwise."""
    return [*_celery("flower", "--address=127.0.0.1", f"--tasks_columns={','.join(FLOWER_COLUMNS)}"), *options]


def _celery(*arguments: str) -> list[str]:
    """Not `celery -A`: that puts the working directory first on the import path. -P keeps Python from doing so."""
    return [sys.executable, "-P", "-m", "workers.app", *arguments]


def unique_name(queues: Sequence[str]) -> str:
    """A name that no other worker has. Celery's default is the same for all workers of a host."""
    return "-".join([*(queue.replace(".", "-") for queue in queues), uuid.uuid4().hex[:6]])


def node_name(name: str) -> str:
    """Celery's name for a worker of this host; Celery replaces %h by the host."""
    return f"{name}@%h"
