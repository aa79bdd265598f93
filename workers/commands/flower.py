"""`chartfleet flower`: the fleet in a web page, on this machine only unless its own options say more."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from workers.commands.celery_command import add_celery_options, become
from workers.commands.setting_flags import BROKER

if TYPE_CHECKING:
    from workers.settings.settings import Settings

USES: Final = BROKER
_CONFIGURATION: Final = "flowerconfig.py"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_celery_options(parser)


def run(settings: Settings, args: argparse.Namespace) -> int:
    from workers.fleet.programs import flower_command

    options: list[str] = args.celery
    configuration: list[str] = []
    if "FLOWER_CONF" not in os.environ and not any(option.startswith("--conf") for option in options):
        # It would run flowerconfig.py of the working directory.
        configuration = [f"--conf={os.devnull}"]
        if Path(_CONFIGURATION).is_file():
            print(
                f"chartfleet: {_CONFIGURATION} of the working directory isn't read; "
                f"`chartfleet flower -- --conf={_CONFIGURATION}` reads it",
                file=sys.stderr,
            )
    return become(settings, flower_command([*configuration, *options]))
