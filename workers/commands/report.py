"""`chartfleet report`: coverage, findings and what is new as one HTML file, to send or to print."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from loaders.errors import ChartfleetError
from workers.commands.setting_flags import GRAPH
from workers.report.exit_codes import COMPLETE, NOT_COVERED

if TYPE_CHECKING:
    from workers.settings.settings import Settings

_FILE: Final = Path("chartfleet-report.html")
USES: Final = (*GRAPH, "data_dir", "suppressions_file")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--html", type=Path, default=_FILE, metavar="FILE", help=f"where to write the page (default: {_FILE})"
    )


def run(settings: Settings, args: argparse.Namespace) -> int:
    from analysis.findings import heat_map, listing, suppression
    from workers.commands.connections import graph_address_of, opened
    from workers.report.html import page

    suppressions = suppression.read(settings.suppressions_file) if settings.suppressions_file else []
    file: Path = args.html
    with ExitStack() as stack:
        graph = opened(graph_address_of(settings, stack), stack)
        found = listing.read(graph, listing.Wanted())
        seen = heat_map.read(graph, found.run["tag"])
    sorted_ = suppression.sort(found.findings, suppressions, datetime.now(UTC).date())
    try:
        file.write_text(page.render(found, sorted_, seen), encoding="utf-8")
    except OSError as error:
        raise ChartfleetError(f"--html: {file}: can't be written: {error.strerror}; name another file") from None
    print(file)
    return COMPLETE if found.is_complete else NOT_COVERED
