"""The event loop in which the attempts of a process run, in a thread of its own, and what it is busy with."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import sys
import threading
import traceback
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary

from workers.fleet.threads import DaemonThreads

T = TypeVar("T")

_owner: Final = contextvars.ContextVar("owner", default="")  # of the work that begins a task


class EventLoop:
    """Clients live in it from task to task, and many attempts share it."""

    def __init__(self) -> None:
        self._owners: WeakKeyDictionary[asyncio.Task[Any], str] = WeakKeyDictionary()
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(DaemonThreads("calls"))
        self._loop.set_task_factory(self._task)
        self._thread = threading.Thread(target=self._loop.run_forever, name="fetches", daemon=True)
        self._thread.start()

    def submit(self, work: Coroutine[Any, Any, T], owner: str = "") -> Future[T]:
        """`owner`: for whom the work and the tasks that it begins are."""
        context = contextvars.copy_context()
        context.run(_owner.set, owner)
        return context.run(asyncio.run_coroutine_threadsafe, work, self._loop)

    def busy_with(self) -> str:
        """The owner of the task that runs at this moment; "" if nothing runs, or nobody's. For any thread."""
        task = asyncio.current_task(self._loop)
        return self._owners.get(task, "") if task else ""

    def stack(self) -> str:
        """Where the loop's code is at this moment, as in a traceback."""
        with _without_garbage_collection():
            frame = sys._current_frames().get(self._thread.ident or 0)
        return "".join(traceback.format_stack(frame)) if frame else ""

    def _task(self, loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> asyncio.Task[Any]:
        task = asyncio.Task(work, loop=loop, **options)
        self._owners[task] = _owner.get()
        return task


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Python 3.11 stands still, holding the GIL, if it collects a thread's data while it lists frames.

    https://github.com/python/cpython/issues/106883
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
