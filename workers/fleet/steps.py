"""The steps of the analysis: each is timed and named, and one that fails for good is reported and stops no other."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import redis
from neo4j.exceptions import ClientError

from loaders.causes import Cause, cause_of, is_too_much, text_of
from loaders.ledger import Ledger
from loaders.writer import LostWriter, OutdatedRun, Writer

log = logging.getLogger(__name__)

MAX_TRIES: Final = 3  # of a step that fails although the graph can be written


class TryAgain(Exception):
    """A step failed, and nobody understands why: the analysis is to be begun again. The message names the step."""


def _may_pass(error: Exception) -> bool:
    """Neo4j would refuse the same statement again; of what it doesn't explain, another try may succeed."""
    return cause_of(error) is Cause.OTHER and not isinstance(error, ClientError)


@dataclass(slots=True)
class Steps:
    """One attempt at the analysis.

    token        holds the barrier
    seconds      by step
    failed_jobs  analysis jobs that failed: the run is complete, and says so
    failed       the barrier's own steps that failed: the run fails, after its other steps
    """

    writer: Writer
    ledger: Ledger
    token: str
    seconds: dict[str, float] = field(default_factory=dict)
    failed_jobs: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    @contextmanager
    def step(self, name: str, *, job: bool = False) -> Iterator[None]:
        """Raises TryAgain; and what the graph raises if it can't be written: then it isn't the step's fault."""
        self.ledger.begin_step(self.token, name)
        start = time.monotonic()
        try:
            yield
        except (LostWriter, OutdatedRun, redis.RedisError, TryAgain):
            raise
        except Exception as error:
            log.exception("%s: the step %s failed", self.ledger.run, name)
            self.writer.write(lambda _: None)
            if _may_pass(error) and self.ledger.failed_step(self.token, name) < MAX_TRIES:
                raise TryAgain(f"{name}: {text_of(error)}") from error
            self._fail(name, error, job=job)
        self.seconds[name] = round(time.monotonic() - start, 3)

    def _fail(self, name: str, error: Exception, *, job: bool) -> None:
        text = str(error).splitlines()[0] if job and str(error) else f"{name}: {text_of(error)}"
        if is_too_much(error):
            text = f"{text} (in the smallest transactions, too)"
        (self.failed_jobs if job else self.failed).append(text)

    def each(self, name: str, actions: Iterator[tuple[str, Callable[[], object]]]) -> None:
        """A step of many parts, each of which may fail on its own."""
        start = time.monotonic()
        for part, action in actions:
            with self.step(f"{name}: {part}"):
                action()
            self.seconds.pop(f"{name}: {part}", None)
        self.seconds[name] = round(time.monotonic() - start, 3)
