"""`chartfleet services`: the embedded graph and broker of a data directory."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from loaders.errors import ChartfleetError
from workers.commands import terminal
from workers.commands.choice import one_of
from workers.commands.connections import data_dir
from workers.embedded import services as embedded
from workers.report.exit_codes import COMPLETE

if TYPE_CHECKING:
    from workers.settings.settings import Settings

USES: Final = ("data_dir",)
_COLUMNS: Final = ("service", "address", "pid", "version", "password in")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "action",
        type=one_of("start", "stop", "status", "password"),
        metavar="start|stop|status|password",
        help="password: print the graph's password, for Neo4j Browser",
    )


def run(settings: Settings, args: argparse.Namespace) -> int:
    directory = data_dir(settings)
    action: str = args.action
    if action == "password":
        print(_password(embedded.status(directory)))
        return COMPLETE
    if action == "start":
        embedded.start(directory, say=lambda line: print(line, file=sys.stderr))
    elif action == "stop":
        embedded.stop(directory)
    status = embedded.status(directory)
    terminal.print_table(_COLUMNS, [_row(status.broker), _row(status.graph)])
    if status.browser_url:
        print(f"Neo4j Browser: {how_to_browse(status, settings)}")
    return COMPLETE


def how_to_browse(status: embedded.Status, settings: Settings) -> str:
    """The address of Neo4j Browser, and how to get the password; never the password itself."""
    where = f" --data-dir {relative(Path(settings.data_dir))}" if settings.data_dir else ""
    return f"{status.browser_url} (password: `chartfleet services password{where}`)"


def relative(path: Path) -> Path:
    """The form in which the user can type it here."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _row(service: embedded.ServiceStatus) -> tuple[str, ...]:
    address, pid = service.address or "stopped", str(service.pid or "-")
    return service.name, address, pid, service.version or "-", str(relative(service.password_file))


def _password(status: embedded.Status) -> str:
    try:
        return status.graph.password_file.read_text().strip()
    except FileNotFoundError:
        raise ChartfleetError(
            f"{status.data_dir} has no embedded graph yet: `chartfleet services start` creates one"
        ) from None
