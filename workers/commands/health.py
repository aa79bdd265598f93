"""`chartfleet health`: whether a process of the fleet on this host is healthy, for the health check of a container."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Final

from loaders.errors import ChartfleetError
from workers.commands.celery_command import broker_url
from workers.commands.choice import one_of
from workers.commands.setting_flags import BROKER, GRAPH
from workers.report.exit_codes import COMPLETE

if TYPE_CHECKING:
    from workers.fleet.health import Health
    from workers.settings.settings import Settings

USES: Final = (*BROKER, *GRAPH)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("process", type=one_of("worker", "beat", "flower"), metavar="worker|beat|flower")
    parser.add_argument(
        "--hostname", metavar="NAME", help="name that the worker was started with (default: every worker of this host)"
    )
    port = os.environ.get("FLOWER_PORT", "5555")  # which Flower itself reads
    parser.add_argument(
        "--port", type=int, metavar="PORT", default=port, help=f"port of Flower (default: FLOWER_PORT, now {port})"
    )


def run(settings: Settings, args: argparse.Namespace) -> int:
    health = _health(settings, args)
    if not health.healthy:
        raise ChartfleetError(health.text)
    print(health.text)
    return COMPLETE


def _health(settings: Settings, args: argparse.Namespace) -> Health:
    from workers.commands.connections import celery_app, impatient
    from workers.fleet import health

    process: str = args.process
    hostname: str | None = args.hostname
    port: int = args.port
    if process == "flower":
        return health.flower(port)
    client = impatient(broker_url(settings))
    if process == "beat":
        return health.beat(celery_app(settings), client)
    return health.worker(celery_app(settings), client, settings, hostname)
