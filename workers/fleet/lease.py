"""Keeps a lease for as long as a block of work takes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

import redis

log = logging.getLogger(__name__)


class LeaseKeeper:
    """Renews a lease every third of its duration, in a thread; stops the work once the lease is lost.

    renew    renews it; False where it is lost
    on_lost  stops the work: called once at most, and never after the block
    away     errors that mean that the lease's store isn't responding

    A lease isn't lost because its store isn't responding: the next renewal tries again.
    """

    def __init__(
        self,
        name: str,
        *,
        lease_seconds: float,
        renew: Callable[[], bool],
        on_lost: Callable[[], object],
        away: tuple[type[Exception], ...] = (redis.RedisError,),
    ) -> None:
        self._name = name
        self._interval_seconds = lease_seconds / 3
        self._renew = renew
        self._on_lost = on_lost
        self._away = away
        self._done = threading.Event()
        self._ending = threading.Lock()

    def __enter__(self) -> Self:
        threading.Thread(target=self._loop, name=f"lease of {self._name}", daemon=True).start()
        return self

    def __exit__(
        self, type_: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.end()

    def end(self) -> None:
        """Before the end of the block: what the work gives back is no loss."""
        with self._ending:
            self._done.set()

    def _loop(self) -> None:
        while not self._done.wait(self._interval_seconds):
            try:
                renewed = self._renew()
            except self._away as error:
                log.warning("%s: the lease can't be renewed just now (%s)", self._name, type(error).__name__)
                continue
            except Exception:
                log.exception("%s: the lease wasn't renewed; the next heartbeat tries again", self._name)
                continue
            if not renewed:
                self._stop_work()
                return

    def _stop_work(self) -> None:
        with self._ending:
            if not self._done.is_set():
                self._on_lost()
