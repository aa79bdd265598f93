"""The writer's task: become the writer, commit and clean until nothing waits, release the writer's lease."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import redis
from neo4j.exceptions import DriverError, Neo4jError

from loaders.brake import CONFIRMED
from loaders.causes import needs_a_hand, text_of
from loaders.ledger import RunState
from loaders.writer import LostWriter, OutdatedRun, Writer, keep_claim
from workers.fleet import attempt
from workers.fleet.process import Process
from workers.fleet.publisher import Publisher

log = logging.getLogger(__name__)

POLL_SECONDS: Final = 0.25
AWAY_SECONDS: Final = 2  # between attempts to reach a graph that isn't responding; the sweeper wakes the writer again

_NEEDS_A_HAND: Final = (
    "the graph can't be written: free space on the disk of Neo4j and restart it, "
    "then the run continues (docs/operations.md, When the graph can't be written)"
)


_turn: Final = threading.Lock()  # to write: the threads of a process are one writer to the graph


class Busy(Exception):
    """Another writer holds the graph, and its heartbeat didn't stop while this one waited."""


@contextmanager
def writing(writer: Writer, tag: int, *, wait_seconds: float) -> Iterator[Writer]:
    """Hold the graph's fence for a run. Raises Busy where another writer keeps it, LostWriter where one took it."""
    end = time.monotonic() + wait_seconds
    if not _turn.acquire(timeout=wait_seconds):
        raise Busy
    try:
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
    finally:
        _turn.release()


def load(process: Process, run: str, publisher: Publisher, stopping: Callable[[], bool]) -> None:
    """Drain what waits for one run. What can't be done now goes on waiting, and the sweeper wakes the writer again."""
    ledger = process.ledger(run)
    if attempt.left(process, ledger):
        return
    info = ledger.info()
    if info is None or info.state is not RunState.RUNNING:
        return
    wait = process.settings.writer_wait_seconds
    try:
        with writing(process.writer, info.tag, wait_seconds=wait) as writer:
            keep_claim(writer, run)
            seconds = process.settings.hard_time_limit_seconds / 2
            confirmed = bool(info.config.get(CONFIRMED))
            for event in process.loader.drain(
                ledger, info.tag, confirmed=confirmed, seconds=seconds, stopping=stopping
            ):
                publisher.publish_events(run, [event])
    except Busy:
        log.info("another writer holds the graph")
        ledger.set_blocked_by("another writer holds the graph")
    except LostWriter:
        log.warning("another writer took over; it continues with what waits")
    except OutdatedRun as error:
        log.warning("run %s: %s", run, error)
        ledger.cancel(f"a later run has taken the graph ({error})")
    except (DriverError, Neo4jError) as error:
        log.warning("%s; the batches wait", graph_error_text(error))
        ledger.set_blocked_by(graph_error_text(error))
        time.sleep(AWAY_SECONDS)
    except redis.RedisError:
        raise
    except Exception as error:
        log.exception("run %s: the loader failed; it tries again", run)
        ledger.set_blocked_by(f"the loader fails, and tries again: {text_of(error)}")
        time.sleep(AWAY_SECONDS)


def graph_error_text(error: DriverError | Neo4jError) -> str:
    """In one line: does it not respond, or does it refuse the statement? And what to do, if waiting won't help."""
    if needs_a_hand(error):
        return f"{_NEEDS_A_HAND}: {text_of(error)}"
    if isinstance(error, Neo4jError) and not error.is_retryable():
        return f"the graph refuses: {error.code}: {text_of(error)}"
    return f"the graph isn't responding ({type(error).__name__})"
