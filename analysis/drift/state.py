"""The rows that a query returned at one time, as texts, and how two of them differ."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

from neo4j.graph import Node, Path, Relationship

from analysis.queries.values import as_json
from loaders.errors import ChartfleetError

SEPARATOR: Final = "|"  # between the elements of a list

Row = tuple[str, ...]


class Incomparable(ChartfleetError, ValueError):
    """Two states that are not of the same query."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """`properties`: the columns. A template is a state without rows."""

    name: str
    validation_query: str
    properties: Sequence[str] = ()
    results: Sequence[Row] = ()

    @classmethod
    def of(cls, content: object) -> Self:
        """Of the JSON of a file. Raises ValueError, which names the field."""
        if not isinstance(content, dict):
            raise ValueError("the file is not an object {...}")  # noqa: TRY004  # a value of a file
        for field in ("name", "validation_query"):
            if not isinstance(content.get(field), str) or not content[field].strip():
                raise ValueError(f"{field} {'is missing' if field not in content else 'is empty'}; give a text")
        properties, results = content.get("properties", []), content.get("results", [])
        if not _are_texts(properties):
            raise ValueError("properties is not a list of texts; in a template it is []")
        if not isinstance(results, list) or not all(_are_texts(row) for row in results):
            raise ValueError("results is not a list of lists of texts; in a template it is []")
        return cls(
            name=content["name"],
            validation_query=content["validation_query"],
            properties=tuple(properties),
            results=tuple(map(tuple, results)),
        )

    def with_results(self, properties: Iterable[str], rows: Iterable[Iterable[Any]]) -> State:
        """Of rows with the values of Neo4j's driver."""
        results = sorted(tuple(map(_text, row)) for row in rows)
        return State(
            name=self.name,
            validation_query=self.validation_query,
            properties=tuple(properties),
            results=results,
        )

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """Rows that only the later state has, and rows that only the earlier has, by their columns."""

    new: Sequence[Mapping[str, str | list[str]]]
    missing: Sequence[Mapping[str, str | list[str]]]


def drift(start: State, end: State) -> Drift:
    """Raises Incomparable."""
    for what, one, other in (
        ("names", start.name, end.name),
        ("queries", start.validation_query, end.validation_query),
        ("properties", list(start.properties), list(end.properties)),
    ):
        if one != other:
            raise Incomparable(
                f"the {what} of the two states differ, so they can't be compared: {_shown(one)} and {_shown(other)}; "
                "compare states of the same query"
            )
    return Drift(new=list(_only_in(end, set(start.results))), missing=list(_only_in(start, set(end.results))))


def _only_in(state: State, other: Collection[Row]) -> Iterator[dict[str, str | list[str]]]:
    for row in state.results:
        if row not in other:
            yield {
                name: text.split(SEPARATOR) if SEPARATOR in text else text
                for name, text in zip(state.properties, row, strict=False)
            }


def _text(value: Any) -> str:
    """A list sorted, with `|` between its elements; null is `None`, as in 2020."""
    return SEPARATOR.join(sorted(map(_text_of_one, value))) if isinstance(value, list) else _text_of_one(value)


def _text_of_one(value: Any) -> str:
    """Of a node, its properties: its id in the graph may be another's tomorrow."""
    if isinstance(value, Node | Relationship | Path):
        return json.dumps(as_json(value), ensure_ascii=False)
    return str(value)


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(element, str) for element in value)


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:77]}..."
