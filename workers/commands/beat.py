"""`chartfleet beat`: Celery's scheduler, which starts a run whenever the schedule says so."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Final

from loaders.errors import ChartfleetError
from loaders.trusted_file import distrust_directory
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
    from workers.fleet.programs import beat_command

    options: list[str] = args.celery
    if not settings.schedule:
        raise SettingError("schedule", None, "beat needs one: set CHARTFLEET_SCHEDULE, e.g. '0 3 * * *'")
    state = [] if any(option.startswith(_OWN_STATE) for option in options) else ["--schedule", str(_state(settings))]
    return become(settings, beat_command([*state, *options]))


def _state(settings: Settings) -> Path:
    """The file in which beat keeps when it last started a run.

    Not in the working directory, where Celery would keep it: it is a pickle, so anybody who can write it can run code.
    """
    file = data_dir(settings) / "beat" / "schedule"
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ChartfleetError(
            f"{error.filename}: {error.strerror}: beat keeps its state there; "
            "give it a --data-dir, or a file of its own: `chartfleet beat -- --schedule FILE`"
        ) from None
    if problem := distrust_directory(file.parent):
        raise ChartfleetError(f"{file.parent}: {problem}: whoever can write beat's state there can run code")
    return file
