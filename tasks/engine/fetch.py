"""The fetch engine: one attempt at one scope, from the first page to the last batch."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgpack
import redis

from loaders import batch as wire
from loaders.ledger import Attempt, Event, Fenced, Ledger
from loaders.model import NodeModel, Source
from loaders.schema import GraphSchema
from loaders.scope import Scope
from tasks.engine.rows import read, unread
from tasks.failures import CallFailed, Failure, InvalidRecord, RetryLater
from tasks.resource import Api, Gap, Item, ResourceType

log = logging.getLogger(__name__)
T = TypeVar("T")

BYTES_PER_BATCH = 1_000_000  # before compression
_LONGEST_GAP = 300  # characters
_SHUTDOWN = "the worker shuts down"


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchLimits:
    """How an attempt is bounded. Seconds and bytes."""

    lease_seconds: float = 60
    stall_seconds: float = 600  # without a page, a row or a batch for so long, the lease is left to run out
    attempt_seconds: float = 3000  # after so long a waiting attempt gives its scope back instead of being killed
    backlog_bytes: int = 64_000_000  # a fetch waits while more than this waits for the writer
    rows_per_batch: int = 1_000


Publish = Callable[[Iterable[Event]], None]


class Progress:
    """When the attempt last got on. A wait that is meant (throttled, writer behind) counts as getting on."""

    def __init__(self) -> None:
        self.started = self.last = time.monotonic()

    def tick(self) -> None:
        self.last = time.monotonic()

    @property
    def age_seconds(self) -> float:
        return time.monotonic() - self.started

    @property
    def idle_seconds(self) -> float:
        return time.monotonic() - self.last


@dataclass(slots=True)
class _Buffer:
    rows: list[bytes] = field(default_factory=list)
    size: int = 0


class BatchSink:
    """Takes rows, pushes numbered batches. Bounded: what is buffered, and how far it runs ahead of the writer."""

    def __init__(self, fetch: Fetching) -> None:
        self._fetch = fetch
        self._buffers: dict[str, _Buffer] = {}  # by the name of the model on the wire
        self.batches = 0

    async def add(self, model: NodeModel, row: wire.Row) -> None:
        await self._add(self._fetch.schema.wire_name(self._fetch.attempt.scope.type, model), row)

    async def keep(self, model: NodeModel, row: wire.Row) -> None:
        """What stays in the graph as it is."""
        await self._add(self._fetch.schema.kept_name(self._fetch.attempt.scope.type, model), row)

    async def _add(self, name: str, row: wire.Row) -> None:
        buffer = self._buffers.setdefault(name, _Buffer())
        packed = msgpack.packb(row, use_bin_type=True)
        buffer.rows.append(packed)
        buffer.size += len(packed)
        self._fetch.progress.tick()
        if len(buffer.rows) >= self._fetch.limits.rows_per_batch or buffer.size >= BYTES_PER_BATCH:
            await self._push(name)

    async def flush(self) -> None:
        for name in list(self._buffers):
            await self._push(name)

    async def _push(self, name: str) -> None:
        await self._wait_for_writer()
        rows = self._buffers.pop(name).rows
        events = await asyncio.to_thread(
            self._fetch.ledger.push,
            self._fetch.attempt,
            number=self.batches,
            model=name,
            rows=0 if self._fetch.schema.is_kept(name) else len(rows),
            payload=wire.compress(rows),
        )
        self.batches += 1
        await asyncio.to_thread(self._fetch.publish, events)

    async def _wait_for_writer(self) -> None:
        while True:
            _, waiting_bytes = await asyncio.to_thread(self._fetch.ledger.backlog)
            self._fetch.progress.tick()
            if waiting_bytes <= self._fetch.limits.backlog_bytes:
                return
            if self._fetch.progress.age_seconds > self._fetch.limits.attempt_seconds:
                raise RetryLater("the writer is behind", after_seconds=30)
            await asyncio.sleep(0.5)


MAX_GAPS = 50  # kinds of them that one attempt tells apart


@dataclass(slots=True)
class Seen:
    """What an attempt noted beside its rows: what it couldn't see of items that it did see.

    unknown  the first item that nothing tells from the others: any node may be it, so that nothing may be deleted
    """

    gaps: dict[str, int] = field(default_factory=dict)
    rejected: dict[str, str] = field(default_factory=dict)  # where -> the first reason
    unknown: Exception | None = None
    unknown_items: int = 0

    def note(self, gaps: Iterable[Gap]) -> None:
        for gap in gaps:
            self._count(f"{gap.action}: {gap.reason}")

    def reject(self, rejected: Mapping[str, str]) -> None:
        for where, reason in rejected.items():
            self._count("rejected: " + self.rejected.setdefault(where, reason))

    def fail(self, error: Exception) -> None:
        self.unknown = self.unknown or error
        self.unknown_items += 1

    def _count(self, text: str) -> None:
        text = text[:_LONGEST_GAP]
        if text not in self.gaps and len(self.gaps) >= MAX_GAPS:
            text = "and others"
        self.gaps[text] = self.gaps.get(text, 0) + 1

    def outcome(self, calls: int) -> dict[str, Any]:
        return {"calls": calls, "gaps": self.gaps}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetching:
    """One attempt at one scope, and what it works with. `run` brings it to its transition in the ledger."""

    type: ResourceType
    attempt: Attempt
    connect: Callable[[], Awaitable[Api]]
    ledger: Ledger
    schema: GraphSchema
    publish: Publish
    stopping: Callable[[], bool]
    limits: FetchLimits = FetchLimits()
    progress: Progress = field(default_factory=Progress)

    async def run(self) -> None:
        """Raises Fenced if the attempt lost its scope; what an API does, never.

        An attempt that Redis was lost to is given back as soon as Redis answers again: it wasn't the scope's fault.
        """
        work = asyncio.ensure_future(self._to_the_end())
        beats = (
            asyncio.ensure_future(self._heartbeat(work)),
            asyncio.ensure_future(self._watch_for_shutdown(work)),
        )
        try:
            events = await work
        except asyncio.CancelledError:
            if not self.stopping():
                raise Fenced(self.attempt.scope.id) from None
            await asyncio.to_thread(self.ledger.later, self.attempt, wait_seconds=0, reason=_SHUTDOWN)
            return
        except redis.RedisError as error:
            name = type(error).__name__
            log.warning("%s: lost Redis (%s); giving the scope back when it answers", self.attempt.scope.shown, name)
            await self._give_back()
            return
        finally:
            for beat in beats:
                beat.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await beat
        await asyncio.to_thread(self.publish, events)

    async def _to_the_end(self) -> list[Event]:
        """Read everything, then say how it ended: one transition of the ledger, and what follows from it."""
        sink, seen = BatchSink(self), Seen()
        api: Api | None = None
        parts: list[Scope] | None = None
        failed: Exception | None = None

        def outcome() -> dict[str, Any]:
            return seen.outcome(api.calls if api else 0)

        try:
            try:
                api = await self.connect()
                parts = await _parts(self.type, self.attempt.scope, api)
                if parts is None:
                    await self._read(api, sink, seen)
            except (RetryLater, Fenced, redis.RedisError):
                raise
            except CallFailed as error:
                failed = error
            except Exception as error:
                log.exception("%s: the declaration's code failed", self.attempt.scope.shown)
                failed = error
            await sink.flush()  # what was read before a failure is loaded all the same
        except RetryLater as wait:
            wait_seconds = wait.after_seconds
            await asyncio.to_thread(self.ledger.later, self.attempt, wait_seconds=wait_seconds, reason=wait.reason)
            return []

        if isinstance(failed, CallFailed):
            return await asyncio.to_thread(self._end, failed, outcome(), "")
        if failed is not None:
            reason = f"unexpected {type(failed).__name__}: {str(failed)[:300]}"
            return await asyncio.to_thread(self.ledger.failed, self.attempt, reason, outcome())
        if isinstance(seen.unknown, CallFailed):
            return await asyncio.to_thread(self._end, seen.unknown, outcome(), f" for {seen.unknown_items} items")
        if seen.unknown is not None:
            reason = f"{seen.unknown_items} items rejected, the first: {seen.unknown}"
            return await asyncio.to_thread(self.ledger.failed, self.attempt, reason, outcome())
        return await asyncio.to_thread(
            self.ledger.fetched, self.attempt, batches=sink.batches, outcome=outcome(), parts=parts or ()
        )

    async def _read(self, api: Api, sink: BatchSink, seen: Seen) -> None:
        async for item in self.type.fetch.items(api, self.attempt.scope.part):
            self.progress.tick()
            if self.stopping():
                raise RetryLater(_SHUTDOWN, after_seconds=0)
            source = Source(
                item.value,
                self.attempt.scope,
                partition=api.partition,
                tenant_name=api.tenant.name,
                access=api.tenant.access,
                unseen=item.unseen,
            )
            await _add(self.type, source, item, sink, seen)

    def _end(self, error: CallFailed, outcome: dict[str, Any], items: str) -> list[Event]:
        """The transition that a failed call leads to."""
        match error.failure:
            case Failure.DENIED:
                return self.ledger.denied(self.attempt, f"{error.code or 'denied'} {error.action}{items}", outcome)
            case Failure.NOT_ENABLED:
                reason = f"{error.code or 'not enabled'} {error.action}{items}"
                return self.ledger.skipped(self.attempt, reason, outcome)
            case _:
                return self.ledger.failed(self.attempt, f"{error.failure}: {error}{items}", outcome)

    async def _heartbeat(self, work: asyncio.Future[Any]) -> None:
        """Keep the lease while the attempt gets on; stop the attempt once it has lost its scope."""
        limits = self.limits
        while True:
            await asyncio.sleep(limits.lease_seconds / 3)
            if self.progress.idle_seconds > limits.stall_seconds:
                log.error(
                    "%s: no progress for %d s; the attempt is given up", self.attempt.scope.shown, limits.stall_seconds
                )
                work.cancel()  # its lease runs out, and that it got nowhere counts as a death
                return
            with contextlib.suppress(redis.RedisError):  # without Redis there is no lease to lose; the next beat tries
                if not await asyncio.to_thread(self.ledger.renew, self.attempt, lease_seconds=limits.lease_seconds):
                    work.cancel()
                    return

    async def _watch_for_shutdown(self, work: asyncio.Future[Any]) -> None:
        """Stop the attempt at once, whatever it waits for: a worker that shuts down is killed if it takes long."""
        while not self.stopping():  # noqa: ASYNC110  # what is asked is a flag of the worker, set by another process
            await asyncio.sleep(0.25)
        work.cancel()

    async def _give_back(self) -> None:
        end = time.monotonic() + self.limits.attempt_seconds
        while time.monotonic() < end:
            try:
                await asyncio.to_thread(self.ledger.later, self.attempt, wait_seconds=0, reason="Redis was lost")
            except redis.RedisError:
                await asyncio.sleep(1)
            except Fenced:
                return
            else:
                return


async def _parts(type_: ResourceType, scope: Scope, api: Api) -> list[Scope] | None:
    """What the listing of a type with parts plans; None where the attempt is to read items."""
    planned = None if scope.part else type_.fetch.parts(api)
    if planned is None:
        return None
    return [Scope(type=scope.type, tenant=scope.tenant, region=scope.region, part=part) async for part in planned]


async def _add(type_: ResourceType, source: Source, item: Item, sink: BatchSink, seen: Seen) -> None:
    if item.failure is not None:
        await _add_unread(type_, source, item.key, item.failure, sink, seen)
        return
    seen.note(item.gaps)
    try:
        found = read(type_, source, item.key or None)
    except InvalidRecord as error:
        seen.fail(error)
        log.warning("%s: item rejected: %s", source.scope.shown, error)
        return
    for reason in found.rejected.values():
        log.warning("%s: rejected: %s", source.scope.shown, reason)
    seen.reject(found.rejected)
    for model, row in found.rows:
        await sink.add(model, row)
    for model, row in found.kept:
        await sink.keep(model, row)


async def _add_unread(
    type_: ResourceType, source: Source, key: str, failure: CallFailed, sink: BatchSink, seen: Seen
) -> None:
    """An item of which nothing could be read stays as it is; one that has vanished is passed over."""
    if failure.failure is Failure.NOT_FOUND:
        return
    if failure.failure is Failure.EXPIRED:
        raise failure
    if not key:
        seen.fail(failure)
        return
    seen.note([Gap.of(failure)])
    for model, row in unread(type_, source, key):
        await sink.keep(model, row)
