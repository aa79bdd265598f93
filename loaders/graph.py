"""A Neo4j database: reads, one-transaction writes, and the statements that Neo4j allows only outside a transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import neo4j

T = TypeVar("T")
Parameters = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class GraphAddress:
    """Where a graph is and who signs in; the password is never printed."""

    uri: str
    user: str | None = None
    password: str | None = None
    database: str | None = None

    def __repr__(self) -> str:
        return f"GraphAddress(uri={self.uri!r}, user={self.user!r}, password=***, database={self.database!r})"

    def driver(self) -> neo4j.Driver:
        """A driver that doesn't hold on to a dead server: 10 s to connect, and no notifications in the log."""
        return neo4j.GraphDatabase.driver(
            self.uri,
            auth=(self.user, self.password or "") if self.user else None,
            connection_timeout=10,
            connection_acquisition_timeout=15,
            max_transaction_retry_time=15,
            notifications_min_severity="OFF",
            user_agent="chartfleet",
        )


class Graph:
    """Read and write access to one database. Threads may share it, processes may not (it holds sockets)."""

    def __init__(self, driver: neo4j.Driver, database: str | None = None) -> None:
        self._driver = driver
        self._database = database

    @classmethod
    def at(cls, address: GraphAddress) -> Self:
        return cls(address.driver(), address.database)

    def close(self) -> None:
        self._driver.close()

    def rows(self, query: str, parameters: Parameters | None = None) -> list[dict[str, Any]]:
        """The rows of a read query, retried on transient errors."""

        def work(tx: neo4j.ManagedTransaction) -> list[dict[str, Any]]:
            return tx.run(query, dict(parameters or {})).data()

        with self._driver.session(database=self._database) as session:
            return session.execute_read(work)

    def stream(self, query: str, parameters: Parameters | None = None) -> Iterator[dict[str, Any]]:
        """The rows of a read query as they come, for answers of any length. Not retried: some are out by then."""
        with self._driver.session(database=self._database, default_access_mode=neo4j.READ_ACCESS) as session:
            for record in session.run(query, dict(parameters or {})):
                yield record.data()

    def write(self, work: Callable[[neo4j.ManagedTransaction], T]) -> T:
        """Run `work` in one write transaction; it may run again after a transient error, so it must be repeatable."""
        with self._driver.session(database=self._database) as session:
            return session.execute_write(work)

    def autocommit(self, query: str, parameters: Parameters | None = None) -> list[dict[str, Any]]:
        """For schema commands and `CALL {} IN TRANSACTIONS`, which Neo4j refuses inside an explicit transaction."""
        with self._driver.session(database=self._database) as session:
            return session.run(query, dict(parameters or {})).data()

    def define(self, statements: Iterable[str]) -> None:
        """Schema commands in one transaction, which holds nothing else: each by itself costs a commit."""
        with self._driver.session(database=self._database) as session, session.begin_transaction() as tx:
            for statement in statements:
                tx.run(statement).consume()
            tx.commit()

    def labels(self) -> set[str]:
        """The labels that nodes have: what no node is called needn't be asked for, as each statement is planned first.

        From the counts that Neo4j keeps. An Enterprise user who may not read those gets labels that only constraints
        and indexes have as well.
        """
        counts = "CALL db.stats.retrieve('GRAPH COUNTS') YIELD data UNWIND data.nodes AS n WITH n WHERE n.count > 0 "
        try:
            found = self.rows(f"{counts} AND n.label IS NOT NULL RETURN n.label AS label")
        except neo4j.exceptions.ClientError:
            found = self.rows("CALL db.labels() YIELD label RETURN label")
        return {row["label"] for row in found}

    def database_id(self) -> str:
        """The id that Neo4j gave this database when it was created: equal ids are one graph, whatever the address."""
        return str(self.rows("CALL db.info() YIELD id RETURN id")[0]["id"])
