"""Where the commands print: a terminal as it is; in a pipe no wrapping, no padding and no colors."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rich.console import Console

_PIPE_WIDTH: Final = 10_000  # nothing is wrapped, so that `grep` finds whole lines


def console(*, stderr: bool = False, quiet: bool = False) -> Console:
    """A terminal as it is, or as COLUMNS says. Texts from outside don't control it."""
    from workers.commands.guarded_console import GuardedConsole
    from workers.fleet.outgoing_text import unguarded

    stream = unguarded(sys.stderr if stderr else sys.stdout)
    width = None if stderr or _has_width() else _PIPE_WIDTH
    return GuardedConsole(file=stream, quiet=quiet, width=width, highlight=False)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table on a terminal; in a pipe a line per row, its values separated by tabs."""
    if not sys.stdout.isatty():
        for row in (columns, *rows):
            print("\t".join(row))
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*row)
    console().print(table, markup=False)


def _has_width() -> bool:
    return sys.stdout.isatty() or "COLUMNS" in os.environ
