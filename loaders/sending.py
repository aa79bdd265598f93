"""Sends rows to the graph, whatever happens: what can't be sent is rejected, and everything else is committed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from loaders.causes import Cause, cause_of, is_too_much, text_of
from loaders.graph import Graph
from loaders.writer import LostWriter, OutdatedRun

log = logging.getLogger(__name__)

R = TypeVar("R")
Rejections = list[tuple[R, str]]  # row, reason

ROWS_PER_TRANSACTION: Final = 2_000  # measured: larger transactions are slower
# Failures that may each take as long as a transaction, per call. A batch is halved down to one row in eleven.
MAX_FAILURES_ALONE: Final = 16
MAX_FAILURES_TOGETHER: Final = 4  # several batches: each is tried again alone
PAGES_BEFORE_GROWTH: Final = 20


class Unsent(Exception):
    """It failed for an unknown reason although the graph itself can be written: worth another try, after others."""


@dataclass(slots=True)
class _Kind:
    """What is known of the rows of one kind.

    size     how many of them a transaction takes
    gave_up  nothing fitted: until something does, each batch has one try
    """

    size: int = ROWS_PER_TRANSACTION
    pages: int = 0
    gave_up: bool = False


class Sender:
    """Through the fenced `write` of `loaders.writer.Writer`."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._kinds: dict[str, _Kind] = {}

    def send(
        self,
        kind: str,
        rows: Sequence[R],
        write: Callable[[Sequence[R]], object],
        *,
        alone: bool = True,
        last_try: bool = True,
    ) -> Rejections[R]:
        """Returns the rows that can't be written, with the reason.

        kind      rows of one kind, by its name, need about the same time and memory
        write     one transaction for these rows; may be repeated
        alone     they are of one batch; if not, Unsent is raised where each batch should be tried alone
        last_try  an error that nobody understands is taken for one of the data

        Raises Unsent; and if the graph can't be written at all, what it raises: LostWriter, OutdatedRun, a DriverError.
        """
        known = self._kinds.setdefault(kind, _Kind())
        failures = MAX_FAILURES_ALONE if alone else MAX_FAILURES_TOGETHER
        sending = _Sending(self._graph, write, alone, last_try, 1 if known.gave_up else failures)
        rejected: Rejections[R] = []
        start = 0
        while start < len(rows):
            page = rows[start:] if sending.gave_up else rows[start : start + known.size]
            rejected += sending.send(page)
            start += len(page)
            _learn(known, sending, len(page))
        known.gave_up = bool(sending.gave_up)
        return rejected


def _learn(known: _Kind, sending: _Sending[R], length: int) -> None:
    """The next page is as large as what fitted here, and larger again after some time."""
    if sending.fitted < length:
        known.size, known.pages = max(sending.fitted, 1), 0
    elif known.size < ROWS_PER_TRANSACTION:
        known.pages += 1
        if known.pages == PAGES_BEFORE_GROWTH:
            known.size, known.pages = min(known.size * 2, ROWS_PER_TRANSACTION), 0


@dataclass(slots=True)
class _Sending(Generic[R]):
    """One call.

    fitted   the largest number of rows that was not too much for a transaction
    gave_up  why nothing more is tried
    """

    graph: Graph
    write: Callable[[Sequence[R]], object]
    alone: bool
    last_try: bool
    failures_left: int
    fitted: int = ROWS_PER_TRANSACTION
    gave_up: str = ""

    def send(self, rows: Sequence[R]) -> Rejections[R]:
        self.fitted = len(rows)
        return self._send(rows)

    def _send(self, rows: Sequence[R]) -> Rejections[R]:
        if self.gave_up:
            return [(row, self.gave_up) for row in rows]
        try:
            self.write(rows)
        except (LostWriter, OutdatedRun):
            raise
        except Exception as error:  # noqa: BLE001  # whatever it is, it must not hold up what waits behind it
            return self._without_what_failed(rows, error)
        return []

    def _without_what_failed(self, rows: Sequence[R], error: Exception) -> Rejections[R]:
        cause = cause_of(error)
        if cause is not Cause.DATA:
            self._count(cause, error)
        if self.gave_up or len(rows) == 1:
            self.graph.write(lambda _: None)  # as in `_count`
            return [(row, text_of(error)) for row in rows]
        half = len(rows) // 2
        rejected = self._send(rows[:half]) + self._send(rows[half:])
        if is_too_much(error) and not rejected:
            self.fitted = min(self.fitted, half)
        return rejected

    def _count(self, cause: Cause, error: Exception) -> None:
        """A failure that isn't the data's, as far as it shows. Raises Unsent where another try may help."""
        self.failures_left -= 1
        exhausted = self.failures_left <= 0
        if cause is Cause.OTHER or exhausted:
            self.graph.write(lambda _: None)  # raises if the graph can't be written: then it isn't the rows' fault
        if (cause is Cause.OTHER and not self.last_try) or (exhausted and not self.alone):
            raise Unsent(text_of(error)) from error
        if exhausted:
            self.gave_up = text_of(error)
            log.error("gave up: %s", self.gave_up)
