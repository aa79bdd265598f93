"""The rows of a query, for people, programs and spreadsheets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from analysis.queries.values import as_json
from loaders.shown_text import shown_line
from workers.commands import terminal
from workers.report.csv_text import print_csv

if TYPE_CHECKING:
    from analysis.queries.execution import Result
    from workers.report.query_coverage import QueryCoverage


def show(result: Result, coverage: QueryCoverage, form: str) -> None:
    match form:
        case "json":
            _print_json(result, coverage)
        case "csv":
            print_csv(result.columns, ([as_json(value) for value in row] for row in result.rows))
        case _:
            rows = [[_cell(as_json(value)) for value in row] for row in result.rows]
            terminal.print_table([shown_line(column) for column in result.columns], rows)


def _print_json(result: Result, coverage: QueryCoverage) -> None:
    rows = [dict(zip(result.columns, map(as_json, row), strict=True)) for row in result.rows]
    print(json.dumps({"rows": rows, "cut": result.is_cut, "coverage": coverage.as_json()}, indent=2))


def _cell(value: Any) -> str:
    if isinstance(value, list) and not any(isinstance(element, dict | list) for element in value):
        return ", ".join(map(_cell, value))
    return "-" if value is None else shown_line(_text(value))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
