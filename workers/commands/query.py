"""`chartfleet query`: runs a sample query, or one of your own, and says what of its input was not seen."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

from loaders.errors import UsageError
from loaders.shown_text import shown_line
from workers.commands import terminal
from workers.commands.choice import one_of
from workers.commands.setting_flags import GRAPH
from workers.report.exit_codes import COMPLETE, NOT_COVERED

if TYPE_CHECKING:
    from analysis.queries.query_file import Query
    from workers.settings.settings import Settings

USES: Final = (*GRAPH, "data_dir", "expected_gaps")
STANDARD_INPUT: Final = "-"
_SUFFIX: Final = ".cypher"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("query", nargs="?", metavar="NAME|FILE|-", help="a query's name, its file, or - to read it")
    parser.add_argument("--list", action="store_true", help="list the queries, or those whose name contains NAME")
    parser.add_argument("--directory", type=Path, metavar="DIR", help="your own queries: every *.cypher below it")
    parser.add_argument(
        "--param", action="append", default=[], metavar="NAME=VALUE", help="JSON, else a text; repeatable"
    )
    parser.add_argument(
        "--format",
        type=one_of("table", "json", "csv"),
        default="table",
        metavar="table|json|csv",
        help="how to print the rows (default: table)",
    )
    parser.add_argument(
        "--timeout-seconds", type=_seconds, default=30.0, metavar="SECONDS", help="stop it after so long (default: 30)"
    )
    parser.add_argument(
        "--limit", type=_count, default=1_000, metavar="ROWS", help="print no more rows (default: 1000; 0: all)"
    )


def run(settings: Settings, args: argparse.Namespace) -> int:
    known = _known(args.directory)
    if args.list:
        _list(known, args.query or "", as_json=args.format == "json")
        return COMPLETE
    if args.query is None:
        raise UsageError("name a query, a file of one, or - for standard input; `chartfleet query --list` lists them")
    return _run(settings, args, _query(args.query, known))


def _run(settings: Settings, args: argparse.Namespace, query: Query) -> int:
    from analysis import cypher35
    from analysis.queries import execution, parameters
    from workers.commands import query_formats
    from workers.commands.connections import graph_address_of, opened
    from workers.report import query_coverage

    text = cypher35.upgrade(query.text)
    values = parameters.given(text, args.param)
    with ExitStack() as stack:
        graph = opened(graph_address_of(settings, stack), stack)
        result = execution.run(graph, text, values, timeout_seconds=args.timeout_seconds, limit=args.limit)
        covered = query_coverage.of(graph, text, result.plan, settings.expected_gaps)
    query_formats.show(result, covered, args.format)
    if args.format != "json" and not (args.quiet and covered.is_complete):
        print(f"coverage: {shown_line(str(covered))}", file=sys.stderr)
    if result.is_cut:
        print(f"only the first {args.limit} rows are shown: --limit 0 shows all", file=sys.stderr)
    if not result.rows and (numbers := parameters.mistakable(values)):
        print(f"${numbers[0]} is a number here; a text is --param '{numbers[0]}=\"...\"'", file=sys.stderr)
    return NOT_COVERED if result.is_cut or not covered.is_complete else COMPLETE


def _known(directory: Path | None) -> Mapping[str, Query]:
    """The user's own hide a sample query of the same name. Raises QueryFileError."""
    from analysis.queries import catalog

    return catalog.shipped() | (catalog.of_directory(directory) if directory else {})


def _query(word: str, known: Mapping[str, Query]) -> Query:
    """Raises UsageError, QueryFileError."""
    from analysis.queries import catalog
    from analysis.queries.query_file import MAX_BYTES, queries, queries_of_text

    if word == STANDARD_INPUT:
        found, where = list(queries_of_text("stdin", sys.stdin.read(MAX_BYTES))), "standard input"
    elif word.endswith(_SUFFIX) or os.sep in word:
        found, where = queries(Path(word)), word
    else:
        return catalog.find(word, known)
    if len(found) != 1:
        names = f": {', '.join(query.name for query in found)}; name one, with --directory" if len(found) > 1 else ""
        raise UsageError(f"{where} holds {len(found) or 'no'} queries{names}")
    return found[0]


def _list(known: Mapping[str, Query], part: str, *, as_json: bool) -> None:
    from analysis.queries.parameters import names

    chosen = [known[name] for name in sorted(known) if part in name]
    if not chosen:
        raise UsageError(f'no query\'s name contains "{part}"; `chartfleet query --list` lists all')
    if as_json:
        entries = [
            {"name": query.name, "question": query.question, "parameters": names(query.text), "query": query.text}
            for query in chosen
        ]
        print(json.dumps({"queries": entries}, indent=2))
        return
    lines = [(query.name, " ".join(f"${name}" for name in names(query.text)), query.question) for query in chosen]
    terminal.print_table(("name", "parameters", "question"), [tuple(map(shown_line, line)) for line in lines])


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 86_400:
        raise argparse.ArgumentTypeError(f'"{text}" is not a number of seconds from 1 to 86400')
    return seconds


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise argparse.ArgumentTypeError(f'"{text}" is not a number of rows; 0 for all')
    return int(text)
