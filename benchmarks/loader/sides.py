"""Who writes the rows: the loader, or the bare driver."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Final, Protocol

import neo4j
import redis

from benchmarks.loader.interfaces import MODEL, Interfaces, create_other_ends, decoded
from benchmarks.loader.meter import Meter, Spent, middle
from loaders import cypher, indexes
from loaders.batch import Row
from loaders.graph import Graph
from loaders.pages import pages
from loaders.sending import ROWS_PER_TRANSACTION
from loaders.wire_name import wire_name
from loaders.writer import Writer
from tasks.aws.ec2.instances import INSTANCES
from tasks.engine import registry
from tests.fleet.short_lived_graph import empty
from tests.integration.runs import Run, Sync
from workers import embedded

ROWS_PER_TURN: Final = 4_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where both sides write. Run follows run."""

    sync: Sync
    session: neo4j.Session
    meter: Meter


@contextmanager
def emptied(services: embedded.Services) -> Iterator[Place]:
    """Nothing is in the graph but constraints and indexes, among them those of the rows' type, and no run in Redis."""
    with (
        closing(Writer(services.graph.driver(), services.graph.database)) as writer,
        services.graph.driver() as driver,
        driver.session(database=services.graph.database) as session,
        redis.Redis.from_url(services.broker_url) as broker,
    ):
        empty(Graph(driver, services.graph.database))
        for key in broker.scan_iter("chartfleet:*", count=1_000):
            broker.unlink(key)
        assert writer.acquire()
        indexes.ensure(writer, registry.schema(), [INSTANCES.name])
        yield Place(Sync(broker, writer), session, Meter(services))


class Side(Protocol):
    """`load` is measured, `prepare` isn't."""

    @property
    def interfaces(self) -> Interfaces: ...
    def prepare(self, payloads: Sequence[bytes], rows: Sequence[Row]) -> None: ...
    def load(self) -> None: ...


class ByLoader:
    """An attempt of a run at one scope. Each batch waits for the loader as soon as it is prepared."""

    def __init__(self, run: Run, interfaces: Interfaces) -> None:
        self.interfaces = interfaces
        self._run = run
        self._attempt = run.begin(interfaces.scope)
        self._batches = 0

    def prepare(self, payloads: Sequence[bytes], rows: Sequence[Row]) -> None:
        name, rows_per_batch = wire_name(INSTANCES.name, MODEL), len(rows) // len(payloads)
        for payload in payloads:
            self._run.ledger.push(self._attempt, number=self._batches, model=name, rows=rows_per_batch, payload=payload)
            self._batches += 1

    def load(self) -> None:
        self._run.load()

    def end(self) -> None:
        """Everything was seen: the scope waits for its cleanup."""
        self._run.ledger.fetched(self._attempt, batches=self._batches, outcome={})


class ByDriver:
    """One session of Neo4j's driver, and the loader's statement."""

    def __init__(self, session: neo4j.Session, interfaces: Interfaces, tag: int) -> None:
        self.interfaces = interfaces
        self._session = session
        self._tag = tag
        self._statement = cypher.load(MODEL, registry.schema())
        self._pages: list[list[Row]] = []

    def prepare(self, payloads: Sequence[bytes], rows: Sequence[Row]) -> None:
        self._pages = list(pages(rows, ROWS_PER_TRANSACTION))

    def load(self) -> None:
        for page in self._pages:
            self._session.execute_write(
                lambda tx, rows: tx.run(self._statement, rows=rows, tag=self._tag).consume(), page
            )


def race(place: Place, sides: Sequence[Side], batches: Sequence[Sequence[bytes]], rows_per_batch: int) -> list[Spent]:
    """What each side needs for a row of its batches. The sides take turns, each of as many rows."""
    spent: list[list[Spent]] = [[] for _ in sides]
    turns = zip(*(pages(of_side, max(ROWS_PER_TURN // rows_per_batch, 1)) for of_side in batches), strict=True)
    for turn, payloads in enumerate(turns):
        order = range(len(sides))
        for at in reversed(order) if turn % 2 else order:
            side = sides[at]
            rows = decoded(payloads[at], side.interfaces.scope)
            create_other_ends(place.sync.writer, rows)
            side.prepare(payloads[at], rows)
            spent[at].append(place.meter.measure(side.load) / len(rows))
    return [middle(of_side) for of_side in spent]
