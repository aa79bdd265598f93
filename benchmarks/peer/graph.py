"""The graph that a tool writes to: a new one, an emptied one, and what is in it afterwards."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import redis

from loaders.graph import Graph
from tests.fleet import short_lived_graph
from workers import embedded
from workers.embedded.graph import own_settings
from workers.embedded.process import write_private


@dataclass(frozen=True, slots=True)
class Written:
    """What a tool has in the graph, without its notes about its own runs."""

    nodes: int
    relationships: int


# Both tools' plans fit, so that neither displaces the other's; the default is 1,000.
_SETTINGS: Final = "server.memory.query_cache.per_db_cache_num_entries=4000\n"


@contextmanager
def new_services(directory: Path) -> Iterator[embedded.Services]:
    """A Neo4j process without data, indexes or plans, and a Redis; both end with the block."""
    write_private(own_settings(directory / "graph"), _SETTINGS)
    try:
        yield embedded.start(directory, say=lambda line: print(f"  {line}", file=sys.stderr))
    finally:
        embedded.stop(directory)


def empty(services: embedded.Services) -> None:
    """Constraints and indexes stay, and with them the plans. No run is remembered."""
    with closing(Graph.at(services.graph)) as graph:
        short_lived_graph.empty(graph)
    with redis.Redis.from_url(services.broker_url) as broker:
        broker.flushall()


def written(services: embedded.Services) -> Written:
    """Both tools' notes have labels that begin with Sync."""
    with closing(Graph.at(services.graph)) as graph:
        (row,) = graph.rows(
            "CALL { MATCH (n) WHERE none(label IN labels(n) WHERE label STARTS WITH 'Sync') RETURN count(n) AS nodes } "
            "CALL { MATCH ()-[r]->() WHERE type(r) <> 'COVERED' RETURN count(r) AS relationships } "
            "RETURN nodes, relationships"
        )
        return Written(row["nodes"], row["relationships"])
