"""A Neo4j database: reads, transactional writes, and statements that Neo4j allows only outside a transaction."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from loaders.masking import keep_secret
from loaders.page_size import PageSize

if TYPE_CHECKING:  # the driver is loaded when it is used: commands that need no graph start faster
    import neo4j

T = TypeVar("T")
Parameters = Mapping[str, Any]

_SCHEMA_CHANGED: Final = "Could not compile query due to insanely frequent schema changes"
_COUNTED: Final = (
    "CALL db.stats.retrieve('GRAPH COUNTS') YIELD data UNWIND data.{of} AS one "
    "WITH one WHERE one.count > 0 AND one.{name} IS NOT NULL RETURN DISTINCT one.{name} AS name"
)
_MAX_TRIES: Final = 20
_PAUSE_SECONDS: Final = 0.5


class BulkRows(list[T]):
    """Rows as one parameter of a statement. As text they are only a number: Neo4j's driver makes a text of all
    parameters for its debug log, even if nothing is logged, which takes as long as packing them.
    """

    def __repr__(self) -> str:
        return f"<{len(self):,} rows>"


def planned(work: Callable[[], T]) -> T:
    """Repeat the work while Neo4j can't plan its query, because new indexes come online all the time.

    Nothing was done then. Neo4j calls it an unknown error, so its driver doesn't take it for a transient one.
    """
    from neo4j.exceptions import DatabaseError

    for _ in range(_MAX_TRIES - 1):
        try:
            return work()
        except DatabaseError as error:
            if _SCHEMA_CHANGED not in str(error):
                raise
            time.sleep(_PAUSE_SECONDS)
    return work()


@dataclass(frozen=True, kw_only=True)
class GraphAddress:
    """The address of a graph and its credentials. The password is never printed.

    ca_file  certificates of the only authorities that may vouch for the server, instead of the system's
    """

    uri: str
    user: str | None = None
    password: str | None = None
    database: str | None = None
    ca_file: Path | None = None

    def __repr__(self) -> str:
        return f"GraphAddress(uri={self.uri!r}, user={self.user!r}, password=***, database={self.database!r})"

    def driver(self) -> neo4j.Driver:
        """A driver that gives up on an unreachable server (10 s to connect) and logs no notifications."""
        from neo4j import GraphDatabase, TrustCustomCAs

        keep_secret(self.password)
        uri, trust = self.uri, dict[str, Any]()
        if self.ca_file:  # the driver takes them with the plain scheme alone
            uri = uri.replace("+s://", "://", 1)
            trust = {"encrypted": True, "trusted_certificates": TrustCustomCAs(str(self.ca_file))}
        return GraphDatabase.driver(
            uri,
            **trust,
            auth=(self.user, self.password or "") if self.user else None,
            connection_timeout=10,
            connection_acquisition_timeout=15,
            max_transaction_retry_time=15,
            notifications_min_severity="OFF",
            user_agent="chartfleet",
        )


class Graph:
    """Read and write access to one database. Threads may share it; processes may not, as it holds sockets."""

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
            return planned(lambda: session.execute_read(work))

    def read(self, work: Callable[[neo4j.ManagedTransaction], T], *, timeout_seconds: float) -> T:
        """Run `work` in one transaction that may not write, aborted by Neo4j after the timeout."""
        from neo4j import unit_of_work

        with self._driver.session(database=self._database) as session:
            return planned(lambda: session.execute_read(unit_of_work(timeout=timeout_seconds)(work)))

    @contextmanager
    def reading(self, *, timeout_seconds: float, fetch_size: int = 1_000) -> Iterator[neo4j.Transaction]:
        """A transaction that may not write and is never committed. Neo4j aborts it after the timeout."""
        from neo4j import READ_ACCESS

        with (
            self._driver.session(
                database=self._database, default_access_mode=READ_ACCESS, fetch_size=fetch_size
            ) as session,
            session.begin_transaction(timeout=timeout_seconds) as transaction,
        ):
            try:
                yield transaction
            except (KeyboardInterrupt, SystemExit):
                self._driver.close()  # a rollback would wait for the query's end; a lost connection ends it
                raise
            finally:
                transaction.close()  # else it would be committed

    def stream(self, query: str, parameters: Parameters | None = None) -> Iterator[dict[str, Any]]:
        """The rows of a read query as they arrive, for large results. Not retried: the caller already has some."""
        from neo4j import READ_ACCESS

        with self._driver.session(database=self._database, default_access_mode=READ_ACCESS) as session:
            for record in session.run(query, dict(parameters or {})):
                yield record.data()

    def write(self, work: Callable[[neo4j.ManagedTransaction], T]) -> T:
        """Run `work` in one write transaction. It must be repeatable: it runs again after a transient error."""
        with self._driver.session(database=self._database) as session:
            return planned(lambda: session.execute_write(work))

    def write_until_done(self, query: str, parameters: Parameters | None = None, *, limit: int) -> None:
        """Repeat a query, each time in a transaction of its own, until it has handled everything.

        It handles up to `$limit` nodes or relationships and returns how many, as the only value of its only row.
        """
        size = PageSize(limit)

        def page(most: int) -> bool:
            def work(tx: neo4j.ManagedTransaction) -> int:
                return int(tx.run(query, dict(parameters or {}), limit=most).single(strict=True).value())

            return self.write(work) == most

        while size.fit(page):
            pass

    def autocommit(self, query: str, parameters: Parameters | None = None) -> list[dict[str, Any]]:
        """For schema commands and `CALL {} IN TRANSACTIONS`, which Neo4j refuses inside an explicit transaction."""
        with self._driver.session(database=self._database) as session:
            return planned(lambda: session.run(query, dict(parameters or {})).data())

    def define(self, statements: Iterable[str]) -> None:
        """Schema commands, all in one transaction of their own: that saves a commit for each."""
        with self._driver.session(database=self._database) as session, session.begin_transaction() as tx:
            for statement in statements:
                tx.run(statement).consume()
            tx.commit()

    def labels(self) -> set[str]:
        """The labels that nodes have. Queries for other labels can be skipped, which saves planning them.

        Read from Neo4j's count store. A user who may not read that, on Enterprise, also gets labels that only
        constraints and indexes have.
        """
        return self._counted("nodes", "label", "CALL db.labels() YIELD label AS name RETURN name")

    def relationship_types(self) -> set[str]:
        """The types that relationships have; read as `labels` is."""
        known = "CALL db.relationshipTypes() YIELD relationshipType AS name RETURN name"
        return self._counted("relationships", "relationshipType", known)

    def _counted(self, of: str, name: str, known: str) -> set[str]:
        """`known`: the query for who may not read the counts."""
        from neo4j.exceptions import ClientError

        try:
            rows = self.rows(_COUNTED.format(of=of, name=name))
        except ClientError:
            rows = self.rows(known)
        return {row["name"] for row in rows}

    def database_id(self) -> str:
        """The id that Neo4j gave this database when it was created. Equal ids mean the same graph at any address."""
        return str(self.rows("CALL db.info() YIELD id RETURN id")[0]["id"])
