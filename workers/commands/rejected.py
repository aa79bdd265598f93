"""`chartfleet rejected`: rows that the graph refused; shows them, loads them again, or drops them."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Final

from loaders.errors import ChartfleetError, UsageError
from loaders.iso_time import iso_time
from loaders.ledger import Ledger, RunInfo, runs
from loaders.ledger.signing import FleetKey
from loaders.reason import counted
from loaders.rejected import RejectedRow
from loaders.shown_text import shown_line
from workers.commands import terminal
from workers.commands.choice import one_of
from workers.commands.connections import broker_of, graph_address_of, opened
from workers.commands.local_key import use_local_key
from workers.commands.setting_flags import BROKER, GRAPH, LEASES
from workers.commands.status import unknown_run
from workers.report.exit_codes import COMPLETE, FAILED
from workers.settings.fleet_key import fleet_key

if TYPE_CHECKING:
    from loaders.graph import Graph, GraphAddress
    from workers.settings.settings import Settings

USES: Final = (*BROKER, *GRAPH, *LEASES, "data_dir")
_COLUMNS: Final = ("id", "scope", "model", "key", "reason")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "action",
        type=one_of("list", "show", "retry", "drop"),
        metavar="list|show|retry|drop",
        help="retry: load rows again, between two runs; drop: forget them",
    )
    parser.add_argument("ids", nargs="*", metavar="ID", help="ids of rows, as `list` prints them")
    parser.add_argument("--all", action="store_true", help="every row of the run")
    parser.add_argument("--run", metavar="RUN", help="the run that they were rejected in (default: the newest)")
    parser.add_argument("--json", action="store_true", help="the rows as JSON")


def run(settings: Settings, args: argparse.Namespace) -> int:
    action: str = args.action
    with ExitStack() as stack:
        ledger = _ledger_of(settings, args.run, stack, _key(settings) if action == "retry" else None)
        rows = _selected(ledger, action, args.ids, all_rows=args.all)
        match action:
            case "list" | "show":
                _print(ledger, rows, as_json=args.json, whole=action == "show")
                return COMPLETE
            case "drop":
                ledger.drop_rejected(rows)
                print(f"{counted(len(rows), 'row')} dropped")
                return COMPLETE
        return _retry(settings, ledger, rows, stack, as_json=args.json)


def _key(settings: Settings) -> FleetKey:
    """What is loaded again must carry the fleet's signature. Raises SettingError."""
    if settings.broker_url is None:
        use_local_key(settings)
    return fleet_key()


def _ledger_of(settings: Settings, wanted: str | None, stack: ExitStack, key: FleetKey | None) -> Ledger:
    """With the fleet's key only rows that its loader signed are found."""
    client = broker_of(settings, stack)
    name = wanted or next(iter(runs(client)), None)
    if name is None:
        raise ChartfleetError("no runs yet: `chartfleet sync` starts one")
    ledger = Ledger(client, name, key)
    if ledger.state() is None:
        raise unknown_run(name)
    return ledger


def _selected(ledger: Ledger, action: str, ids: Sequence[str], *, all_rows: bool) -> list[RejectedRow]:
    rows = {row.id: row for row in ledger.rejected_rows()}
    if all_rows and ids:
        raise UsageError("either ids or --all")
    if unknown := [name for name in ids if name not in rows]:
        raise UsageError(
            f"{unknown[0]}: run {ledger.run} has no such rejected row; `chartfleet rejected list` lists them"
        )
    if ids:
        return [rows[name] for name in dict.fromkeys(ids)]
    if action != "list" and not all_rows:
        raise UsageError(f"name the rows to {action} by id, or give --all")
    return list(rows.values())


def _print(ledger: Ledger, rows: Sequence[RejectedRow], *, as_json: bool, whole: bool) -> None:
    if as_json or whole:
        shown = [_as_json(row, whole=whole) for row in rows]
        print(json.dumps({"run": ledger.run, "rows": shown, "more": ledger.rejected_more()}, indent=2))
        return
    terminal.print_table(_COLUMNS, [_line(row) for row in rows])
    if more := ledger.rejected_more():
        print(f"and {counted(more, 'row')} more that were only counted")


def _as_json(row: RejectedRow, *, whole: bool) -> dict[str, Any]:
    fields = {"id": row.id} | asdict(row) | {"at": iso_time(row.at_ms)}
    return {name: value for name, value in fields.items() if name != "at_ms" and (whole or name != "row")}


def _line(row: RejectedRow) -> tuple[str, ...]:
    label = row.model.rpartition(":")[2]
    return row.id, *map(shown_line, (row.scope, label, row.key, row.reason))


def _retry(settings: Settings, ledger: Ledger, rows: Sequence[RejectedRow], stack: ExitStack, *, as_json: bool) -> int:
    info = ledger.info()
    assert info is not None
    if rows:
        address = graph_address_of(settings, stack)
        refused = _load_again(address, opened(address, stack), info, rows, settings)
    else:
        refused = []
    still = {row.id for row, _ in refused}
    if loaded := [row for row in rows if row.id not in still]:
        ledger.drop_rejected(loaded)
    for row, reason in refused:
        ledger.replace_rejected(replace(row, reason=reason))
    if as_json:
        lines = [_as_json(replace(row, reason=reason), whole=False) for row, reason in refused]
        print(json.dumps({"run": ledger.run, "loaded": len(loaded), "refused": lines}, indent=2))
    else:
        print(f"{counted(len(loaded), 'row')} loaded, {len(refused)} refused again")
        terminal.print_table(_COLUMNS, [_line(replace(row, reason=reason)) for row, reason in refused])
    return FAILED if refused else COMPLETE


def _load_again(
    address: GraphAddress, graph: Graph, info: RunInfo, rows: Sequence[RejectedRow], settings: Settings
) -> list[tuple[RejectedRow, str]]:
    """Claims the graph as a run does, so that no run can start in the meantime. Raises RunRefused."""
    from loaders.loader import Loader
    from loaders.writer import LaterRun, RunRefused
    from tasks.engine import registry
    from workers.commands.claimed import claimed

    try:
        with claimed("rejected retry", address, graph, settings, tag=info.tag) as writer:
            return Loader(writer, registry.schema()).load_again(rows, info.tag)
    except LaterRun:
        raise RunRefused(f"a later run has started since run {info.id}: what it saw is newer than these rows") from None
