"""A run that holds the graph and goes on sending heartbeats, as its fleet's sweepers do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from loaders.graph import Graph
from loaders.writer import claim, keep_claim


@contextmanager
def held_by_run(graph: Graph, run: str, tag: int) -> Iterator[None]:
    claim(graph, run=run, tag=tag, resume=False, lease_seconds=60)
    done = threading.Event()

    def beat() -> None:
        while not done.wait(0.2):
            keep_claim(graph, run)

    with ThreadPoolExecutor(1) as pool:
        beating = pool.submit(beat)
        try:
            yield
        finally:
            done.set()
        beating.result()
