"""How many calls one scope makes at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterable
from typing import Final, TypeVar

T = TypeVar("T")

CALLS_IN_FLIGHT: Final = 25  # of one scope, at most


async def bounded(calls: Iterable[Awaitable[T]], max_concurrent: int) -> AsyncIterator[T]:
    """Results as they come in, with at most `max_concurrent` calls at a time. The rest is cancelled when the caller
    stops reading.
    """
    pending: set[asyncio.Future[T]] = set()
    try:
        for call in calls:
            pending.add(asyncio.ensure_future(call))
            if len(pending) >= max_concurrent:
                done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    yield task.result()
        while pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                yield task.result()
    finally:
        for task in pending:
            task.cancel()
