"""`chartfleet changes`: what appeared, changed and went between runs, and what of it was not seen."""

from __future__ import annotations

import argparse
import json
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

from loaders.reason import counted
from loaders.scope import Scope
from loaders.shown_text import shown_line
from workers.commands import terminal
from workers.commands.connections import graph_address_of, opened
from workers.commands.setting_flags import GRAPH
from workers.report.exit_codes import COMPLETE, NOT_COVERED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from loaders.changes.history import History
    from workers.settings.settings import Settings

USES: Final = (*GRAPH, "expected_gaps", "data_dir")
_COLUMNS: Final = ("change", "what", "from", "to", "cause", "tenant", "region", "run")
_SCOPE_COLUMNS: Final = ("type", "tenant", "region", "nodes", "status", "reason")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--since", metavar="RUN", help="changes after this run (default: the run before the last)")
    parser.add_argument("--tenant", metavar="TENANT", default="", help="only of this tenant: its id, or provider/id")
    parser.add_argument("--json", action="store_true", help="the changes as JSON")


def run(settings: Settings, args: argparse.Namespace) -> int:
    from loaders.changes import history
    from tasks.engine import registry

    with ExitStack() as stack:
        graph = opened(graph_address_of(settings, stack), stack)
        found = history.read(graph, registry.schema(), since=args.since, tenant=args.tenant)
    if args.json:
        print(json.dumps(asdict(found) | {"changes": [_as_json(change) for change in found.changes]}, indent=2))
    else:
        _print(found)
    return NOT_COVERED if found.dropped or _unexpected(found, settings.expected_gaps) else COMPLETE


def _unexpected(found: History, expected_gaps: Iterable[str]) -> bool:
    """Whether something was not seen that the settings don't expect."""
    from loaders.changes.history import UNSEEN

    unseen = (scope for scope in found.not_seen if scope["status"] in UNSEEN)
    ids = (Scope(type=scope["type"], tenant=scope["tenant"], region=scope["region"]).id for scope in unseen)
    return any(not any(fnmatchcase(scope, pattern) for pattern in expected_gaps) for scope in ids)


def _as_json(change: dict[str, Any]) -> dict[str, Any]:
    at = f"{datetime.fromtimestamp(change['at'] / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"
    return {name: value for name, value in sorted(change.items()) if name != "id"} | {"at": at}


def _print(found: History) -> None:
    since = f"since run {found.since['run']}" if found.since else "since the first run"
    print(f"{counted(len(found.changes), 'change')} {since}")
    if found.changes:
        terminal.print_table(_COLUMNS, map(_line, found.changes))
    for kind, count in found.dropped.items():
        print(f"and {count:,} more that {kind}: only counted")
    for heading, scopes in (
        ("First seen, so that nothing of it is news:", found.first_seen),
        ("Not seen, or not wholly (what it held is as it was, and nothing of it was deleted):", found.not_seen),
    ):
        if scopes:
            print(f"\n{heading}")
            terminal.print_table(_SCOPE_COLUMNS, map(_scope_line, scopes))


def _line(change: dict[str, Any]) -> tuple[str, ...]:
    cause = ": ".join(filter(None, (change.get("cause"), change.get("detail"))))
    changed = "property" in change
    values = (_value(change.get("before")), _value(change.get("after"))) if changed else ("", "")
    cells = (change["kind"], _what(change), *values, cause, change["tenant"], change["region"], change["run"])
    return tuple(map(shown_line, cells))


def _what(change: dict[str, Any]) -> str:
    """`S3Bucket logs: logging_enabled`, `(AWSRole a)-[TRUSTS_AWS_PRINCIPAL]->(AWSPrincipal b)`."""
    node = f"{change['label']} {change['key']}"
    if "relationship" in change:
        start, end = ("<-", "-") if change["incoming"] else ("-", "->")
        other = f"{change['other_label']} {change['other_key']}"
        return f"({node}){start}[{change['relationship']}]{end}({other})"
    return f"{node}: {change['property']}" if "property" in change else node


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _scope_line(scope: dict[str, Any]) -> tuple[str, ...]:
    names = ("type", "tenant", "region", "nodes", "status", "reason")
    return tuple(shown_line(str(scope.get(name) or ("" if name != "nodes" else 0))) for name in names)
