"""The sample queries as docs/sample-queries*.md have them, and the results that the pages state for the demo's graph.

A query is a block of Cypher below a heading; its result is the table that follows, a line per row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from loaders.graph import Graph

DOCS: Final = Path(__file__).parents[1] / "docs"
PAGE: Final = DOCS / "sample-queries.md"
PEOPLE: Final = DOCS / "sample-queries-of-people.md"  # for the other providers
_QUERY: Final = re.compile(
    r"^#+ (?P<title>[^\n]+)\n(?:(?!^#)[^\n]*\n)*?```cypher\n(?P<query>.*?)```\n(?:<!-- end -->\n)?\s*"
    r"(?P<table>(?:^\|[^\n]*\n?)*)",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class SampleQuery:
    title: str
    query: str
    columns: list[str]
    rows: list[list[str]]  # as on the page

    def result(self, graph: Graph) -> list[list[str]]:
        """The result in this graph, formatted as on the page."""
        return [[_shown(row[name]) for name in self.columns] for row in graph.rows(self.query)]


def read(page: Path = PAGE) -> list[SampleQuery]:
    """Every query of the page. Raises ValueError for a query without a result."""
    return list(_queries(page.read_text(encoding="utf-8")))


def differences(graph: Graph, page: Path = PAGE) -> list[str]:
    """A line for each query with another result than stated."""
    results = ((sample, sample.result(graph)) for sample in read(page))
    return [f"{sample.title}: {rows}, expected {sample.rows}" for sample, rows in results if rows != sample.rows]


def _queries(text: str) -> Iterator[SampleQuery]:
    blocks = list(_QUERY.finditer(text))
    if len(blocks) != text.count("```cypher"):
        raise ValueError("a query of the page has no heading of its own")
    for block in blocks:
        lines = [
            [cell.strip() for cell in line.strip().strip("|").split("|")]
            for line in block["table"].strip().splitlines()
        ]
        if len(lines) < 3:
            raise ValueError(f"{block['title']}: the page states no result")
        yield SampleQuery(block["title"], block["query"], lines[0], lines[2:])


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_shown, value))
    if isinstance(value, bool):
        return str(value).lower()
    return "-" if value is None else str(value)
