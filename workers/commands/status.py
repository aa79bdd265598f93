"""`chartfleet status`: the report of a run as it stands, and the progress of each tenant."""

from __future__ import annotations

import argparse
import json
from contextlib import ExitStack
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from loaders.errors import ChartfleetError
from loaders.ledger import Ledger, runs
from workers.commands import terminal
from workers.commands.connections import broker_of
from workers.commands.setting_flags import BROKER, GRAPH
from workers.report import report, view
from workers.report.exit_codes import COMPLETE

if TYPE_CHECKING:
    from workers.settings.settings import Settings

USES: Final = (*BROKER, *GRAPH, "data_dir")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", nargs="?", metavar="RUN", help="id of the run (default: the newest)")
    parser.add_argument("--json", action="store_true", help="the whole report as JSON")


def run(settings: Settings, args: argparse.Namespace) -> int:
    wanted: str | None = args.run
    with ExitStack() as stack:
        client = broker_of(settings, stack)
        name = wanted or next(iter(runs(client)), None)
        if name is None:
            raise _lost(settings, stack) or ChartfleetError("no runs yet: `chartfleet sync` starts one")
        try:
            state = report.of(Ledger(client, name))
        except KeyError:
            raise _lost(settings, stack, name) or unknown_run(name) from None
        if args.json:
            print(json.dumps(asdict(state), indent=2))
        else:
            console = terminal.console()
            view.show(state, console, verbose=args.verbose)
            view.show_tenants(state, console)
    return COMPLETE


def _lost(settings: Settings, stack: ExitStack, wanted: str | None = None) -> ChartfleetError | None:
    """A run that the broker doesn't know, although it holds the graph."""
    from loaders.writer import claimed_by
    from workers.commands.connections import running_graph
    from workers.fleet.readiness import NotReady

    try:
        graph = running_graph(settings, stack)
    except NotReady:
        return None
    claim = claimed_by(graph) if graph else None
    if claim is None or claim.run is None or wanted not in (None, claim.run):
        return None
    return ChartfleetError(
        f"run {claim.run} holds the graph, but this broker doesn't know it: the broker has lost it (was it emptied?), "
        "or it runs at another. The graph has lost nothing; `chartfleet sync` starts a new run once that one's "
        "heartbeat has stopped"
    )


def unknown_run(name: str) -> ChartfleetError:
    return ChartfleetError(f"{name}: there is no such run on this broker; `chartfleet runs` lists the runs")
