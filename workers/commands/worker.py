"""`chartfleet worker`: a Celery worker of the fleet, for the queues that it is given."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

from loaders.nearest import did_you_mean
from workers.commands.celery_command import add_celery_options, become
from workers.settings.fleet_key import fleet_key
from workers.settings.settings import SettingError

if TYPE_CHECKING:
    from workers.settings.settings import Settings

USES: Final = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--queues",
        metavar="QUEUE,...",
        default="coordinator,fetch",
        help="coordinator, fetch (or fetch.aws, ...), loader (default: coordinator,fetch)",
    )
    parser.add_argument(
        "--hostname", metavar="NAME", help="name of the worker, unique on its host (default: a generated name)"
    )
    add_celery_options(parser)


def run(settings: Settings, args: argparse.Namespace) -> int:
    from workers.fleet.programs import worker_command
    from workers.fleet.queues import LOADER

    text: str = args.queues
    hostname: str | None = args.hostname
    options: list[str] = args.celery
    queues = [word.strip() for word in text.split(",") if word.strip()]
    _check(queues, settings)
    fleet_key()  # here, before Celery starts: a worker without it would refuse every run
    concurrency = 1 if queues == [LOADER] else settings.concurrency or None  # there is one writer
    return become(settings, worker_command(queues, concurrency, hostname, options))


def _check(queues: list[str], settings: Settings) -> None:
    from workers.fleet.queues import FETCH, LOADER, every_queue

    known = {FETCH, *every_queue()}
    for queue in queues:
        if queue not in known:
            problem = f"no such queue{did_you_mean(queue, known)} (known: {', '.join(sorted(known))})"
            raise SettingError("--queues", queue, problem)
    if LOADER in queues and settings.neo4j_uri is None:
        raise SettingError("neo4j_uri", None, "a loader needs the graph: --neo4j-uri or CHARTFLEET_NEO4J_URI")
