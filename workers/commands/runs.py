"""`chartfleet runs`: the runs that the broker knows, newest first."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from loaders import ledger
from loaders.ledger.version import OtherVersion
from workers.commands import terminal
from workers.commands.connections import broker_of
from workers.commands.setting_flags import BROKER
from workers.report.exit_codes import COMPLETE

if TYPE_CHECKING:
    from workers.settings.settings import Settings

USES: Final = (*BROKER, "data_dir")
_COLUMNS: Final = ("run", "tag", "started (UTC)", "state", "scopes", "open", "seconds")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It has none of its own."""


def run(settings: Settings, args: argparse.Namespace) -> int:
    with ExitStack() as stack:
        client = broker_of(settings, stack)
        rows = [row for name in ledger.runs(client) if (row := _row_of(ledger.Ledger(client, name)))]
    terminal.print_table(_COLUMNS, rows)
    return COMPLETE


def _row_of(run: ledger.Ledger) -> tuple[str, ...] | None:
    try:
        info = run.info()
    except OtherVersion:
        return run.run, "-", "-", f"of another version ({run.version()})", "-", "-", "-"
    return _row(info) if info else None


def _row(info: ledger.RunInfo) -> tuple[str, ...]:
    started = f"{datetime.fromtimestamp(info.created_ms / 1000, UTC):%Y-%m-%d %H:%M:%S}"
    seconds = f"{(info.finished_ms - info.created_ms) / 1000:.1f}" if info.finished_ms else "-"
    return info.id, str(info.tag), started, str(info.state), str(info.planned), str(info.open), seconds
