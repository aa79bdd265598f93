"""`chartfleet cancel RUN`: nothing more is loaded or deleted, and the graph is free for another run."""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from loaders.errors import ChartfleetError
from loaders.ledger import Ledger, RunState
from workers.commands.connections import broker_of, running_graph
from workers.commands.setting_flags import BROKER, GRAPH
from workers.commands.status import unknown_run
from workers.report.exit_codes import COMPLETE

if TYPE_CHECKING:
    from loaders.graph import Graph
    from workers.settings.settings import Settings

USES: Final = (*BROKER, *GRAPH, "data_dir")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", help="id of the run")


def run(settings: Settings, args: argparse.Namespace) -> int:
    name: str = args.run
    with ExitStack() as stack:
        ledger = Ledger(broker_of(settings, stack), name)
        info = ledger.info()
        if info is None:
            raise unknown_run(name)
        if info.state is RunState.CANCELLED:
            print(f"run {name}: was already cancelled ({info.reason})")
            return COMPLETE
        # A run can be cancelled without its graph, too: its claim then lapses.
        state = cancel(ledger, running_graph(settings, stack), "cancelled by `chartfleet cancel`")
    if state != RunState.CANCELLED:
        raise ChartfleetError(f"run {name} is already {state}")
    print(f"run {name}: {state}; nothing more is loaded or deleted")
    return COMPLETE


def cancel(ledger: Ledger, graph: Graph | None, reason: str) -> str:
    """End a run and give back its claim on the graph. Returns the state that it has now."""
    from loaders.writer import revoke_claim

    state = ledger.cancel(reason)
    if graph is not None:
        revoke_claim(graph, ledger.run)
    return state
