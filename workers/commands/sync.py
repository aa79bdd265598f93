"""`chartfleet sync`: one run, from the checks before it to its report."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final

from workers.settings import legacy_flags

if TYPE_CHECKING:
    from workers.settings.settings import Settings

USES: Final = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--resume", metavar="RUN", help="fetch what an earlier run did not see, and analyze it again")
    parser.add_argument(
        "--confirm-deletions", action="store_true", help="delete what the brake on deletion would hold back"
    )
    parser.add_argument("--json", action="store_true", help="the report as JSON on stdout; everything else on stderr")
    parser.add_argument("--neo4j-password-prompt", action="store_true", help="ask for the graph's password")
    legacy_flags.add(parser)


def run(settings: Settings, args: argparse.Namespace) -> int:
    from workers.commands.sync_steps import sync

    return sync(settings, args)
