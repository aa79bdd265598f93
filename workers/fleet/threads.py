"""Threads for calls that block: one for each, so that no call waits for another's to end."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, Final, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_IDLE_SECONDS: Final = 60.0  # a thread keeps its connections for the next call, and ends after that time without one


class DaemonThreads(ThreadPoolExecutor):
    """An executor of as many threads as there are calls in flight. Who calls bounds how many that are.

    Python waits for the threads of its own executor before it ends: a server that never responds would hold up the
    end of a worker. These are daemons. It derives from that class because asyncio accepts no other.
    """

    def __init__(self, name: str) -> None:
        super().__init__(max_workers=1, thread_name_prefix=name)  # it starts threads in `submit` only
        self._name = name
        self._free: list[_Inbox] = []  # the inboxes of threads without work
        self._guard = threading.Lock()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        with self._guard:
            inbox = self._free.pop() if self._free else None
        if inbox is None:
            inbox = _Inbox()
            threading.Thread(target=self._serve, args=(inbox,), name=self._name, daemon=True).start()
        inbox.put(partial(_run, future, partial(fn, *args, **kwargs)))
        return future

    def _serve(self, inbox: _Inbox) -> None:
        while True:
            try:
                work = inbox.get(timeout=_IDLE_SECONDS)
            except queue.Empty:
                with self._guard:
                    if inbox in self._free:
                        self._free.remove(inbox)
                        return
                continue  # it was chosen just now
            work()
            del work  # with what it refers to, for as long as there is no other
            with self._guard:
                self._free.append(inbox)


_Inbox = queue.SimpleQueue[Callable[[], None]]


def _run(future: Future[Any], function: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = function()
    except BaseException as error:  # noqa: BLE001  # it is its caller's
        future.set_exception(error)
    else:
        future.set_result(result)
