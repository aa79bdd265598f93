"""Heartbeats of the runs' claims on the graph, by the workers that know the graph."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading

from neo4j.exceptions import DriverError, Neo4jError

from loaders.graph import Graph, GraphAddress
from loaders.writer import keep_claim

log = logging.getLogger(__name__)


class Claims:
    """Heartbeats of the runs, from a thread of its own: a graph that doesn't respond delays no sweep."""

    def __init__(self, address: GraphAddress) -> None:
        self._runs: queue.Queue[list[str]] = queue.Queue(maxsize=1)  # what arrives while one is written is dropped
        threading.Thread(target=self._loop, args=(address,), name="claims", daemon=True).start()

    def keep(self, runs: list[str]) -> None:
        with contextlib.suppress(queue.Full):
            self._runs.put_nowait(runs)

    def _loop(self, address: GraphAddress) -> None:
        graph = Graph.at(address)
        while True:
            claimants = self._runs.get()
            try:
                for run in claimants:
                    keep_claim(graph, run)
            except (DriverError, Neo4jError) as error:
                log.warning("the graph isn't responding (%s)", type(error).__name__)
            except Exception:
                log.exception("runs %s: no heartbeat was written", claimants)
