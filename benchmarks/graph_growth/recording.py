"""A graph that remembers every statement that was run in it, with its parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar, cast

import neo4j

from loaders.graph import Graph, Parameters

T = TypeVar("T")


class RecordingGraph(Graph):
    """`statements`: by text, the parameters of the first time."""

    def __init__(self, driver: neo4j.Driver, database: str | None = None) -> None:
        super().__init__(driver, database)
        self.statements: dict[str, Parameters] = {}

    def rows(self, query: str, parameters: Parameters | None = None) -> list[dict[str, Any]]:
        self._record(query, parameters)
        return super().rows(query, parameters)

    def stream(self, query: str, parameters: Parameters | None = None) -> Iterator[dict[str, Any]]:
        self._record(query, parameters)
        return super().stream(query, parameters)

    def read(self, work: Callable[[neo4j.ManagedTransaction], T], *, timeout_seconds: float) -> T:
        def recorded(tx: neo4j.ManagedTransaction) -> T:
            return work(cast("neo4j.ManagedTransaction", _Transaction(tx, self._record)))

        return super().read(recorded, timeout_seconds=timeout_seconds)

    def write(self, work: Callable[[neo4j.ManagedTransaction], T]) -> T:
        return super().write(lambda tx: work(cast("neo4j.ManagedTransaction", _Transaction(tx, self._record))))

    def autocommit(self, query: str, parameters: Parameters | None = None) -> list[dict[str, Any]]:
        self._record(query, parameters)
        return super().autocommit(query, parameters)

    def explain(self, query: str, parameters: Parameters, *, anew: bool = False) -> Mapping[str, Any]:
        """The plan by which Neo4j runs it now, or the one that it would make `anew`. Nothing runs."""
        replan = "CYPHER replan=force " if anew else ""
        with self._driver.session(database=self._database) as session:
            plan = session.run(f"EXPLAIN {replan}{query}", dict(parameters)).consume().plan
        assert plan is not None
        return plan

    def _record(self, query: str, parameters: Parameters | None) -> None:
        self.statements.setdefault(query, dict(parameters or {}))


class _Transaction:
    """A transaction whose statements are recorded."""

    def __init__(self, tx: neo4j.ManagedTransaction, record: Callable[[str, Parameters], None]) -> None:
        self._tx, self._record = tx, record

    def run(self, query: str, parameters: Mapping[str, Any] | None = None, **more: Any) -> neo4j.Result:
        self._record(query, {**(parameters or {}), **more})
        return self._tx.run(query, parameters, **more)  # type: ignore[arg-type]  # queries are built from the schema
