"""`chartfleet-detectdrift`: keeps the results of queries, and compares those of two times.

A command of its own, with the sub-commands, flags and files of Cartography's `cartography-detectdrift` of 2020.
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

from loaders.errors import ChartfleetError, UsageError
from loaders.shown_text import shown_line
from workers.commands import password_prompt, setting_flags
from workers.commands.parser import Parser
from workers.commands.setting_flags import GRAPH
from workers.report.exit_codes import COMPLETE

if TYPE_CHECKING:
    from analysis.drift.directory import QueryDirectory
    from loaders.graph import Graph
    from workers.settings.settings import Settings

PROGRAM: Final = "chartfleet-detectdrift"
LOGGER: Final = "driftdetect"  # as in 2020
TIMEOUT_SECONDS: Final = 600.0  # of one query
_USES: Final = (*GRAPH, "data_dir", "expected_gaps")

logger = logging.getLogger(LOGGER)


def parser() -> Parser:
    root = Parser(prog=PROGRAM, description="Keeps the results of queries, and compares those of two times.")
    root.add_argument("-v", "--verbose", action="store_true", help="verbose output")
    root.add_argument("-q", "--quiet", action="store_true", help="only warnings and errors")
    commands = root.add_subparsers(dest="command", metavar="COMMAND")
    state = commands.add_parser("get-state", help="run the query of each directory, and keep its result")
    state.add_argument("--drift-detection-directory", type=Path, required=True, metavar="DIR", help="of all queries")
    state.add_argument("--neo4j-password-prompt", action="store_true", help="ask for the graph's password")
    state.add_argument(
        "--config", metavar="FILE", help="settings file in TOML (default: chartfleet.toml, if it exists)"
    )
    setting_flags.add(state, state.add_argument_group("settings"), _USES, show_all=False)
    drift = commands.add_parser("get-drift", help="compare two states of a query")
    drift.add_argument("--query-directory", type=Path, required=True, metavar="DIR", help="of the query")
    for name in ("start", "end"):
        drift.add_argument(f"--{name}-state", required=True, metavar="STATE", help="a file in it, or a shortcut")
    shortcut = commands.add_parser("add-shortcut", help="give a state another name")
    shortcut.add_argument("--query-directory", type=Path, required=True, metavar="DIR", help="of the query")
    shortcut.add_argument("--shortcut", required=True, metavar="NAME", help="the name")
    shortcut.add_argument("--filename", "--file", required=True, metavar="STATE", help="a file in it, or a shortcut")
    return root


def run(args: argparse.Namespace) -> int:
    match args.command:
        case "get-state":
            _get_states(args)
        case "get-drift":
            _print_drift(_directory(args.query_directory), args.start_state, args.end_state)
        case "add-shortcut":
            file = _directory(args.query_directory).add_shortcut(args.shortcut, args.filename)
            logger.info("%s stands for %s", args.shortcut, file)
        case _:
            logger.error("no command: give get-state, get-drift or add-shortcut (see `%s --help`)", PROGRAM)
    return COMPLETE


def _directory(path: Path) -> QueryDirectory:
    from analysis.drift.directory import QueryDirectory

    return QueryDirectory(path, _existing(path, "--query-directory"))


def _existing(path: Path, flag: str) -> Path:
    if not path.is_dir():
        raise UsageError(f"{flag}: {path} is {'not a directory' if path.exists() else 'no such directory'}")
    return path


# -- get-state


def _get_states(args: argparse.Namespace) -> None:
    from analysis.drift.directory import query_directories, state_file
    from workers.commands.connections import graph_address_of, opened
    from workers.commands.table import flags_of
    from workers.settings.settings import Settings

    root = _existing(args.drift_detection_directory, "--drift-detection-directory")
    settings = Settings.load(flags_of(args))
    if args.neo4j_password_prompt and settings.neo4j_user:
        password_prompt.ask(settings.neo4j_user, settings.neo4j_uri)
    file = state_file(time.gmtime())
    with ExitStack() as stack:
        graph = opened(graph_address_of(settings, stack), stack)
        for directory in query_directories(root):
            try:
                _get_state(graph, directory, file, settings)
            except ChartfleetError as error:
                logger.error("%s: skipped: %s", directory.path, error)  # noqa: TRY400  # the message says it all


def _get_state(graph: Graph, directory: QueryDirectory, file: str, settings: Settings) -> None:
    from analysis import cypher35
    from analysis.drift.directory import NEWEST
    from analysis.queries import execution
    from workers.report import query_coverage

    template = directory.template()
    query = cypher35.upgrade(template.validation_query)
    result = execution.run(graph, query, {}, timeout_seconds=TIMEOUT_SECONDS)
    directory.write(template.with_results(result.columns, result.rows), file)
    directory.add_shortcut(NEWEST, file)
    logger.info("%s: %s rows in %s", directory.path, len(result.rows), file)
    covered = query_coverage.of(graph, query, result.plan, settings.expected_gaps)
    if not covered.is_complete:
        logger.warning("%s: %s", directory.path, covered)


# -- get-drift


def _print_drift(directory: QueryDirectory, start: str, end: str) -> None:
    from analysis.drift.state import drift

    earlier, later = directory.state(start), directory.state(end)
    found = drift(earlier, later)
    print(f"Query Name: {shown_line(later.name)}")
    print(f"Query Properties: {json.dumps(list(later.properties))}")
    _print_rows("New Query Results", found.new)
    _print_rows("Missing Query Results", found.missing)


def _print_rows(title: str, rows: Iterable[Mapping[str, str | Sequence[str]]]) -> None:
    print(f"\n{title}:")
    for row in rows:
        print()
        for name, value in row.items():
            print(shown_line(f"{name}: {value}"))
