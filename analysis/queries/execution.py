"""Runs a query that only reads, with a limit of time and of rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from neo4j.exceptions import DatabaseUnavailable, Neo4jError

from loaders import read_only
from loaders.errors import ChartfleetError

if TYPE_CHECKING:
    from loaders.graph import Graph
    from loaders.read_only import Operator

ROWS_AT_ONCE = 1_000


class QueryFailed(ChartfleetError):
    """Neo4j began to run the query, and gave up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Rows with the values of Neo4j's driver.

    is_cut  there are more rows than the limit
    plan    what Neo4j did for it
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    is_cut: bool
    plan: Sequence[Operator]


def run(
    graph: Graph, query: str, parameters: Mapping[str, object], *, timeout_seconds: float, limit: int = 0
) -> Result:
    """`limit`: at most so many rows; 0: all. Raises NotReadOnly, InvalidQuery, QueryFailed."""
    rows: list[list[Any]] = []
    fetch_size = min(limit + 1, ROWS_AT_ONCE) if limit else ROWS_AT_ONCE
    try:
        with graph.reading(timeout_seconds=timeout_seconds, fetch_size=fetch_size) as transaction:
            plan = read_only.plan(transaction, query)
            result = transaction.run(query, dict(parameters))
            is_cut = False
            for record in result:
                if limit and len(rows) == limit:
                    is_cut = True
                    break
                rows.append(record.values())
            return Result(columns=result.keys(), rows=rows, is_cut=is_cut, plan=plan)
    except DatabaseUnavailable:
        raise
    except Neo4jError as error:
        if "TransactionTimedOut" in (error.code or ""):
            raise QueryFailed(
                f"the query took longer than {timeout_seconds:g} s and was stopped; "
                "match less, or give it more time (--timeout-seconds)"
            ) from None
        message = (error.message or str(error)).strip() or type(error).__name__
        raise QueryFailed(f"the query failed: {message.splitlines()[0]}") from None
