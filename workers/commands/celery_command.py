"""Celery's own programs (worker, beat, flower), run with Chartfleet's settings."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from workers.commands.connections import checked_broker
from workers.settings.settings import SettingError

if TYPE_CHECKING:
    from workers.settings.settings import Settings


def add_celery_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("celery", nargs="*", metavar="-- OPTION", help="options for Celery itself, after --")


def broker_url(settings: Settings) -> str:
    if settings.broker is None:
        raise SettingError("broker_url", None, "name the fleet's Redis: --broker-url or CHARTFLEET_BROKER_URL")
    return settings.broker


def become(settings: Settings, command: Sequence[str], variables: Mapping[str, str] | None = None) -> int:
    """Replace this process by Celery, or run it where that is impossible: its signals, its exit code."""
    checked_broker(broker_url(settings))
    sys.stdout.flush()
    environment = {**os.environ, **settings.as_environment(), **(variables or {})}
    if sys.platform != "win32":  # there, exec is another process, and nobody waits for it
        os.execve(sys.executable, list(command), environment)  # noqa: S606
    return subprocess.run(list(command), env=environment, check=False).returncode
