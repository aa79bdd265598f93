"""`chartfleet config`: every setting with its value and where that came from; the providers with what enables them."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

from workers.commands import terminal
from workers.report.exit_codes import COMPLETE
from workers.settings.settings import known

if TYPE_CHECKING:
    from workers.settings.settings import Settings

USES: Final = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--providers", action="store_true", help="show which providers are configured here, and what enables the others"
    )


def run(settings: Settings, args: argparse.Namespace) -> int:
    if args.providers:
        _show_providers(settings)
    elif args.verbose:
        meanings = {name: setting.meaning for name, setting in known().items()}
        rows = [(*shown, meanings[shown[0]]) for shown in settings.shown()]
        terminal.print_table(("setting", "value", "from", "meaning"), rows)
    else:
        terminal.print_table(("setting", "value", "from"), list(settings.shown()))
    return COMPLETE


def _show_providers(settings: Settings) -> None:
    from workers.settings import configured

    found = configured.check(settings.modules, settings.run_config()["options"])
    for name in settings.modules:
        print(f"{name}: {'not configured: ' + found.off[name] if name in found.off else 'configured'}")
    for problem in found.lacks:
        print(problem)
