"""Nodes that a scope no longer lists: the loader's cleanup, beside a bare `CALL { DETACH DELETE } IN TRANSACTIONS`."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.loader.interfaces import MODEL
from benchmarks.loader.loading import DRIVER, LOADER, ROWS_PER_BATCH
from benchmarks.loader.meter import Spent
from benchmarks.loader.sides import ByDriver, ByLoader, emptied, race
from loaders import cypher
from loaders.cleanup import MAX_PER_TRANSACTION
from workers import embedded

_BARE = (
    f"MATCH (n:{cypher.quoted(MODEL.label)} {{_scope: $scope}}) CALL (n) {{ DETACH DELETE n }} "
    f"IN TRANSACTIONS OF {MAX_PER_TRANSACTION} ROWS"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """For a node with its three relationships."""

    loader: Spent
    bare: Spent


def measure(services: embedded.Services, nodes: int) -> Deleted:
    batches = [list(of.batches(nodes, ROWS_PER_BATCH)) for of in (LOADER, DRIVER)]
    with emptied(services) as place:
        run = place.sync.start([LOADER.scope])
        by_loader = ByLoader(run, LOADER)
        race(place, [by_loader, ByDriver(place.session, DRIVER, run.tag)], batches, ROWS_PER_BATCH)
        by_loader.end()
        by_loader.load()
        next_run = ByLoader(place.sync.start([LOADER.scope]), LOADER)
        next_run.end()
        loader = place.meter.measure(next_run.load)
        bare = place.meter.measure(lambda: place.session.run(_BARE, scope=DRIVER.scope.id).consume())
        left = place.sync.writer.rows(f"MATCH (n:{cypher.quoted(MODEL.label)}) RETURN count(n) AS nodes")
    assert left == [{"nodes": 0}], left
    return Deleted(loader=loader / nodes, bare=bare / nodes)
