"""Whether a query only reads, by Neo4j's own plan of it, before it runs.

A session for reading is not enough: in one Neo4j refuses to write nodes, but reads files and addresses (LOAD CSV), ends
the transactions of others (TERMINATE), empties its caches and shows its settings. What isn't known to read is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from loaders.errors import UsageError

if TYPE_CHECKING:
    import neo4j

READING_PROCEDURES: Final = frozenset(
    {
        "db.index.fulltext.listAvailableAnalyzers",
        "db.index.fulltext.queryNodes",
        "db.index.fulltext.queryRelationships",
        "db.index.vector.queryNodes",
        "db.index.vector.queryRelationships",
        "db.info",
        "db.labels",
        "db.ping",
        "db.propertyKeys",
        "db.relationshipTypes",
        "db.schema.nodeTypeProperties",
        "db.schema.relTypeProperties",
        "db.schema.visualization",
    }
)
_READING_COMMANDS: Final = ("ShowConstraints", "ShowIndexes")
_REFUSED: Final = {
    "LoadCSV": "LOAD CSV reads files and addresses",
    "Show": "this command shows more than the data",
    "Terminate": "this command ends other transactions",
    "Transaction": "a subquery IN TRANSACTIONS commits by itself",
}
_EXPLAIN: Final = "EXPLAIN "
_FIRST_LINE: Final = re.compile(r"\(line 1, column (\d+) \(offset: (\d+)\)\)")
_TYPES: Final = {"w": "it writes", "rw": "it writes", "s": "it changes the schema or the server"}


class NotReadOnly(UsageError):
    """A query that does more than read, or that can't be known not to. Nothing of it was run."""


class InvalidQuery(UsageError):
    """A query that Neo4j doesn't understand; the message is Neo4j's."""


@dataclass(frozen=True, slots=True)
class Operator:
    """A step of Neo4j's plan: `NodeByLabelScan` and `n:S3Bucket`."""

    name: str
    details: str
    database: str = ""


def plan(transaction: neo4j.Transaction | neo4j.ManagedTransaction, query: str) -> list[Operator]:
    """The plan of a query that only reads. It isn't run. Raises NotReadOnly, InvalidQuery."""
    from neo4j.exceptions import ClientError

    try:
        summary = transaction.run(f"{_EXPLAIN}{query}").consume()
    except ClientError as error:
        if (error.code or "").startswith("Neo.ClientError.Transaction."):
            raise
        raise InvalidQuery(f"the query can't be run: {_message(error.message or str(error))}") from None
    operators = list(_operators(summary.plan or {}))
    if summary.query_type != "r" or not operators:
        why = _TYPES.get(summary.query_type or "", "Neo4j doesn't say that it only reads")
        raise NotReadOnly(f"the query is refused: {why}; only reading the graph is allowed")
    for operator in operators:
        if operator.database not in ("", summary.database):
            raise NotReadOnly(f"the query is refused: it uses {operator.database}, another database")
        if problem := _problem(operator):
            raise NotReadOnly(f"the query is refused: {problem}; only reading the graph is allowed")
    return operators


def _problem(operator: Operator) -> str | None:
    if operator.name == "ProcedureCall":
        name = operator.details.partition("(")[0].replace("`", "").strip()
        known = ", ".join(sorted(READING_PROCEDURES))
        return None if name in READING_PROCEDURES else f"CALL {name} is not known to only read (known: {known})"
    if operator.name in _READING_COMMANDS:
        return None
    return next((why for prefix, why in _REFUSED.items() if operator.name.startswith(prefix)), None)


def _operators(step: Mapping[str, Any]) -> Iterator[Operator]:
    if step:
        name, _, database = step["operatorType"].partition("@")
        yield Operator(name, str(step.get("args", {}).get("Details", "")), database)
        for child in step.get("children", ()):
            yield from _operators(child)


def _message(text: str) -> str:
    """The first line, with the position in the query as it was given."""
    before = len(_EXPLAIN)
    return _FIRST_LINE.sub(
        lambda found: f"(line 1, column {int(found[1]) - before} (offset: {int(found[2]) - before}))",
        text.strip().splitlines()[0],
    )
