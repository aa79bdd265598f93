"""The rows of a query, for people, programs and spreadsheets."""

from __future__ import annotations

import csv
import json
import os
import sys
from typing import TYPE_CHECKING, Any, Final

from analysis.queries.values import as_json
from loaders.masking import mask
from loaders.shown_text import shown_line, shown_text
from workers.commands import terminal
from workers.fleet.outgoing_text import unguarded

if TYPE_CHECKING:
    from analysis.queries.execution import Result
    from workers.report.query_coverage import QueryCoverage

# What a spreadsheet takes for the beginning of a formula, in full width as well.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def show(result: Result, coverage: QueryCoverage, form: str) -> None:
    match form:
        case "json":
            _print_json(result, coverage)
        case "csv":
            _print_csv(result)
        case _:
            rows = [[_cell(as_json(value)) for value in row] for row in result.rows]
            terminal.print_table([shown_line(column) for column in result.columns], rows)


def _print_json(result: Result, coverage: QueryCoverage) -> None:
    rows = [dict(zip(result.columns, map(as_json, row), strict=True)) for row in result.rows]
    print(json.dumps({"rows": rows, "cut": result.is_cut, "coverage": coverage.as_json()}, indent=2))


def _print_csv(result: Result) -> None:
    """As RFC 4180 has it, with CR LF, which a guarded stream would show instead: each cell is guarded itself."""
    writer = csv.writer(unguarded(sys.stdout), lineterminator="\n" if os.linesep == "\r\n" else "\r\n")
    writer.writerow(map(_csv_text, result.columns))
    writer.writerows([_csv_cell(as_json(value)) for value in row] for row in result.rows)


def _cell(value: Any) -> str:
    if isinstance(value, list) and not any(isinstance(element, dict | list) for element in value):
        return ", ".join(map(_cell, value))
    return "-" if value is None else shown_line(_text(value))


def _csv_cell(value: Any) -> str:
    """A number is no formula, even if it is negative."""
    if value is None:
        return ""
    return _text(value) if isinstance(value, int | float) else _csv_text(_text(value))


def _csv_text(text: str) -> str:
    guarded = shown_text(mask(text))
    return f"'{guarded}" if text.startswith(_FORMULA) or guarded.startswith(_FORMULA) else guarded


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
