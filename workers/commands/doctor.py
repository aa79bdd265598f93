"""`chartfleet doctor`: which permissions the credentials lack, before a first run."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

from workers.commands import terminal
from workers.commands.setting_flags import RUN, AllExcept

if TYPE_CHECKING:
    from workers.settings.settings import Settings

USES: Final = AllExcept(RUN)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="every tenant, action and region as JSON")


def run(settings: Settings, args: argparse.Namespace) -> int:
    from workers.commands import doctor_view
    from workers.commands.diagnosis import diagnose

    diagnosis = diagnose(settings)
    if args.json:
        print(diagnosis.as_json())
    else:
        verbose: bool = args.verbose
        doctor_view.show(diagnosis, terminal.console(), verbose=verbose, all_providers=verbose or settings.selects)
    return diagnosis.exit_code
