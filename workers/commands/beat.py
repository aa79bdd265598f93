"""`chartfleet beat`: Celery's scheduler, which starts a run whenever the schedule says so."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from loaders.errors import ChartfleetError
from workers.commands.celery_command import add_celery_options, become
from workers.commands.connections import data_dir
from workers.commands.setting_flags import BROKER
from workers.settings.settings import SettingError

if TYPE_CHECKING:
    from workers.settings.settings import Settings

USES: Final = (*BROKER, "schedule", "data_dir")
_OWN_STATE: Final = ("-s", "--schedule", "-S", "--scheduler")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_celery_options(parser)


def run(settings: Settings, args: argparse.Namespace) -> int:
    from workers.fleet.local_fleet import CELERY

    schedule: str | None = settings.schedule
    options: list[str] = args.celery
    if not schedule:
        raise SettingError("schedule", None, "beat needs one: set CHARTFLEET_SCHEDULE, e.g. '0 3 * * *'")
    state = [] if any(option.startswith(_OWN_STATE) for option in options) else ["--schedule", str(_state(settings))]
    if not args.quiet:
        print(f"chartfleet: {_announcement(schedule)}", file=sys.stderr)
    return become(settings, [*CELERY, "beat", "--loglevel", "INFO", *state, *options])


def _state(settings: Settings) -> Path:
    """The file in which beat keeps when it last started a run.

    Not in the working directory, where Celery would keep it: it is a pickle, and whoever writes it runs code.
    """
    file = data_dir(settings) / "beat" / "schedule"
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ChartfleetError(
            f"{error.filename}: {error.strerror}: beat keeps its state there; "
            "give it a --data-dir, or a file of its own: `chartfleet beat -- --schedule FILE`"
        ) from None
    return file


def _announcement(schedule: str) -> str:
    if schedule.isdigit():
        return f"a run every {schedule} s"
    return f"schedule {schedule!r}: the next run starts at {_next_run(schedule):%Y-%m-%d %H:%M} UTC"


def _next_run(schedule: str) -> datetime:
    from celery.schedules import crontab

    now = datetime.now(UTC)
    remaining: timedelta = crontab.from_string(schedule, nowfun=lambda: now).remaining_estimate(now)
    return now + remaining
