"""Ends a process in which something can't be ended otherwise: a thread can't be killed.

Before that, everything else that the process has begun is handed back: only what keeps it busy is to blame. Whoever
started the process starts it again.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from workers.fleet.event_loop import EventLoop

log = logging.getLogger(__name__)

EXIT_CODE: Final = 70  # EX_SOFTWARE
HAND_BACK_SECONDS: Final = 5  # for the scopes that the process has begun
TICK_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class _Limit:
    what: str
    seconds: float
    end: float


class Watchdog:
    """Watches an event loop and the tasks of a process.

    blocked_seconds  how long code may keep the event loop from everything else
    ending           why the process ends; "" while it goes on
    culprit          the owner of the code that blocks the event loop
    """

    def __init__(self, loop: EventLoop, *, blocked_seconds: float, end: Callable[[int], object] = os._exit) -> None:
        self.ending = ""
        self.culprit = ""
        self._loop = loop
        self._blocked_seconds = blocked_seconds
        self._end = end
        self._limits: set[_Limit] = set()
        self._guard = threading.Lock()
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    @contextmanager
    def limit(self, what: str, seconds: float) -> Iterator[None]:
        """The block takes no longer than this, or the process ends."""
        limit = _Limit(what, seconds, time.monotonic() + seconds)
        with self._guard:
            self._limits.add(limit)
        try:
            yield
        finally:
            with self._guard:
                self._limits.remove(limit)

    def _watch(self) -> None:
        """Counts its own ticks, not the time: a process that stood still as a whole has blocked nothing."""
        unanswered, probe = 0, self._probe()
        while not self.ending:
            time.sleep(TICK_SECONDS)
            unanswered, probe = (0, self._probe()) if probe.done() else (unanswered + 1, probe)
            if unanswered * TICK_SECONDS >= self._blocked_seconds:
                self.culprit = self._loop.busy_with()
                log.critical("the event loop is at:\n%s", self._loop.stack())
                self._end_process(
                    f"code of {self.culprit or 'nobody known'} has kept the event loop busy for {unanswered} s"
                )
            for limit in self._overdue():
                self._end_process(f"{limit.what} isn't done after {limit.seconds:,.0f} s")

    def _probe(self) -> Future[None]:
        return self._loop.submit(asyncio.sleep(0))

    def _overdue(self) -> list[_Limit]:
        with self._guard:
            return [limit for limit in self._limits if time.monotonic() > limit.end]

    def _end_process(self, why: str) -> None:
        if self.ending:
            return
        log.critical("%s: this process ends, and hands back what it has begun", why)
        self.ending = why
        time.sleep(HAND_BACK_SECONDS)
        self._end(EXIT_CODE)
