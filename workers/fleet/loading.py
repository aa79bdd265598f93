"""The writer's task: become the writer, commit and clean until nothing waits, release the writer's lease."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from neo4j.exceptions import DriverError, Neo4jError

from loaders.ledger import RunState
from loaders.writer import LostWriter, OutdatedRun, Writer, keep_claim
from workers.fleet import fetching
from workers.fleet.process import Process
from workers.fleet.publisher import Publisher

log = logging.getLogger(__name__)

POLL_SECONDS: Final = 0.25
AWAY_SECONDS: Final = 2  # between attempts to reach a graph that isn't responding; the sweeper wakes the writer again


class Busy(Exception):
    """Another writer holds the graph, and its heartbeat didn't stop while this one waited."""


@contextmanager
def writing(writer: Writer, tag: int, *, wait_seconds: float) -> Iterator[Writer]:
    """Hold the graph's fence for a run. Raises Busy where another writer keeps it, LostWriter where one took it."""
    end = time.monotonic() + wait_seconds
    while not writer.acquire():
        if time.monotonic() > end:
            raise Busy
        time.sleep(POLL_SECONDS)
    writer.serve(tag)
    try:
        yield writer
    finally:
        try:
            writer.release()
        except (DriverError, Neo4jError) as error:
            log.warning("the writer's lease couldn't be released (%s): it will expire", type(error).__name__)


def load(process: Process, run: str, publisher: Publisher, stopping: Callable[[], bool]) -> None:
    """Drain what waits for one run. What can't be done now goes on waiting, and the sweeper wakes the writer again."""
    ledger = process.ledger(run)
    if fetching.left(process, ledger):
        return
    info = ledger.info()
    if info is None or info.state is not RunState.RUNNING:
        return
    wait = process.settings.writer_lease_seconds + process.settings.transaction_seconds
    try:
        with writing(process.writer, info.tag, wait_seconds=wait) as writer:
            keep_claim(writer, run)
            seconds = process.settings.hard_time_limit_seconds / 2
            for event in process.loader.drain(ledger, info.tag, seconds=seconds, stopping=stopping):
                publisher.publish_events(run, [event])
    except Busy:
        log.info("another writer holds the graph")
    except LostWriter:
        log.warning("another writer took over; it continues with what waits")
    except OutdatedRun as error:
        log.warning("run %s: %s", run, error)
        ledger.cancel(f"a later run has taken the graph ({error})")
    except (DriverError, Neo4jError) as error:
        log.warning("%s; the batches wait", graph_error_text(error))
        ledger.set_blocked_by(graph_error_text(error))
        time.sleep(AWAY_SECONDS)


def graph_error_text(error: DriverError | Neo4jError) -> str:
    """In one line: does the graph not respond, or does it refuse the statement?"""
    if isinstance(error, Neo4jError) and not error.is_retryable():
        return f"the graph refuses: {error.code}: {(error.message or '').split(chr(10))[0][:300]}"
    return f"the graph isn't responding ({type(error).__name__})"
