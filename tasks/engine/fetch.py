"""The fetch engine: one attempt at one scope, from the first page to the last batch."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

import redis

from loaders import batch as wire
from loaders.ledger import Attempt, Event, Fenced, Ledger
from loaders.model import NodeModel, Source
from loaders.reason import MAX_DETAIL, REJECTED, Reason
from loaders.scope import Scope
from loaders.wire_name import is_kept, kept_name, wire_name
from tasks.engine.ending import Ending, record_wait
from tasks.engine.rows import read, unread
from tasks.failures import CallFailed, Failure, InvalidRecord, RetryLater
from tasks.resource import Api, Gap, Item, ResourceType

log = logging.getLogger(__name__)

_Kept = tuple[NodeModel, wire.KeptRow]
_Packed = tuple[str, bytes]  # the name of a model on the wire, and a row

BYTES_PER_BATCH = 1_000_000  # before compression
MAX_BUFFERED_BYTES = 32_000_000  # over all attempts of this process; beyond it, smaller batches are pushed
MIN_BYTES_PER_BATCH = 50_000  # even then

_WRITER_BEHIND = "the writer is behind"
_MEMORY_FULL = "the broker's memory is full"


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchLimits:
    """How an attempt is bounded. Seconds and bytes."""

    stall_seconds: float = 600  # after this time without a call, a row or a batch, the attempt is given up
    attempt_seconds: float = 3000  # after this time one that waits for the writer gives its scope back
    max_wait_seconds: float = 7200  # that a scope waits in all, over its attempts, for an API that throttles it
    backlog_bytes: int = 64_000_000  # a fetch waits while more than this waits for the writer
    rows_per_batch: int = 1_000


Publish = Callable[[Iterable[Event]], None]


class Progress:
    """When the attempt last made progress. An intended wait (throttled, writer behind) counts as progress.

    Another thread reads it: it must say how things stand even while the event loop is blocked.
    """

    def __init__(self) -> None:
        self.started = self.last = time.monotonic()
        self.calls: Callable[[], int] = lambda: 0  # requests sent so far
        self._calls_seen = 0

    def tick(self) -> None:
        self.last = time.monotonic()

    @property
    def age_seconds(self) -> float:
        return time.monotonic() - self.started

    @property
    def idle_seconds(self) -> float:
        if (calls := self.calls()) != self._calls_seen:
            self._calls_seen = calls
            self.tick()
        return time.monotonic() - self.last


class _Buffered:
    """The bytes that the attempts of this process have buffered. Only its event loop's thread counts them."""

    total = 0


@dataclass(slots=True)
class _Buffer:
    rows: list[bytes] = field(default_factory=list)
    size: int = 0


class BatchSink:
    """Takes rows and pushes numbered batches. Limits how much is buffered, and how far it runs ahead of the writer."""

    def __init__(self, fetch: Fetching) -> None:
        self._fetch = fetch
        self._buffers: dict[str, _Buffer] = {}  # by the name of the model on the wire
        self.batches = 0

    def pack(self, rows: Iterable[tuple[NodeModel, wire.Row]], kept: Iterable[_Kept] = ()) -> list[_Packed]:
        """The rows of an item, and those for data that stay in the graph as they are. Raises InvalidRow."""
        type_ = self._fetch.attempt.scope.type
        packed = [(wire_name(type_, model), wire.pack(row)) for model, row in rows]
        return packed + [(kept_name(type_, model), wire.pack(row)) for model, row in kept]

    async def add(self, packed: Iterable[_Packed]) -> None:
        for name, row in packed:
            await self._add(name, row)

    async def _add(self, name: str, packed: bytes) -> None:
        buffer = self._buffers.setdefault(name, _Buffer())
        buffer.rows.append(packed)
        buffer.size += len(packed)
        _Buffered.total += len(packed)
        self._fetch.progress.tick()
        is_full = len(buffer.rows) >= self._fetch.limits.rows_per_batch or buffer.size >= BYTES_PER_BATCH
        if is_full or (_Buffered.total > MAX_BUFFERED_BYTES and buffer.size >= MIN_BYTES_PER_BATCH):
            await self._push(name)

    async def flush(self) -> None:
        for name in list(self._buffers):
            await self._push(name)

    async def _push(self, name: str) -> None:
        """Waits while the writer is behind, and while the memory of Redis is full."""
        rows = self._buffers[name].rows
        payload = wire.compress(rows)
        number_of_rows = 0 if is_kept(name) else len(rows)
        while wait := await asyncio.to_thread(self._try_push, name, number_of_rows, payload):
            if self._fetch.progress.age_seconds > self._fetch.limits.attempt_seconds:
                raise RetryLater(wait, after_seconds=30, throttled=wait != _WRITER_BEHIND)
            await asyncio.sleep(0.5)
        self._take(name)
        self.batches += 1

    def _try_push(self, name: str, rows: int, payload: bytes) -> str:
        """All that a batch has Redis do, in one thread. Returns what it has to wait for; "" once it is pushed."""
        fetch = self._fetch
        fetch.progress.tick()
        _, waiting_bytes = fetch.ledger.backlog()
        if waiting_bytes > fetch.limits.backlog_bytes:
            return _WRITER_BEHIND
        try:
            fetch.publish(fetch.ledger.push(fetch.attempt, number=self.batches, model=name, rows=rows, payload=payload))
        except redis.OutOfMemoryError:
            return _MEMORY_FULL
        return ""

    def discard(self) -> None:
        """What is still buffered will not be pushed."""
        for name in list(self._buffers):
            self._take(name)

    def _take(self, name: str) -> None:
        _Buffered.total -= self._buffers.pop(name).size


MAX_GAPS = 50  # different gaps that one attempt records


@dataclass(slots=True)
class Seen:
    """What an attempt records besides its rows: details not seen, values rejected, calls made.

    unknown  the first item that can't be identified: it could be any node, so nothing may be deleted
    """

    gaps: dict[Reason, int] = field(default_factory=dict)
    rejected: dict[str, str] = field(default_factory=dict)  # where -> the first reason
    unknown: Exception | None = None
    unknown_items: int = 0

    def note(self, gaps: Iterable[Gap]) -> None:
        for gap in gaps:
            self._count(gap.as_reason)

    def reject(self, rejected: Mapping[str, str]) -> None:
        for where, reason in rejected.items():
            self._count(Reason(failure=REJECTED, detail=self.rejected.setdefault(where, reason)))

    def fail(self, error: Exception) -> None:
        self.unknown = self.unknown or error
        self.unknown_items += 1

    def _count(self, reason: Reason) -> None:
        reason = replace(reason, detail=reason.detail[:MAX_DETAIL])
        if reason not in self.gaps and len(self.gaps) >= MAX_GAPS:
            reason = Reason(detail="and others")
        self.gaps[reason] = self.gaps.get(reason, 0) + 1

    def outcome(self, calls: int) -> dict[str, object]:
        return {"calls": calls, "gaps": {reason.to_json(): count for reason, count in self.gaps.items()}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetching:
    """One attempt at one scope, with everything that it needs. `run` ends it with a transition of the ledger."""

    type: ResourceType
    attempt: Attempt
    connect: Callable[[], Awaitable[Api]]
    ledger: Ledger
    publish: Publish
    limits: FetchLimits = FetchLimits()
    progress: Progress = field(default_factory=Progress)

    async def run(self) -> None:
        """Raises Fenced if the attempt lost its scope; never because of the API.

        If the connection to Redis is lost, the scope is given back as soon as Redis responds again: it isn't counted as
        a crash.
        """
        try:
            events = await self._fetch()
        except redis.RedisError as error:
            name = type(error).__name__
            log.warning("%s: lost Redis (%s); giving the scope back when it responds", self.attempt.scope.shown, name)
            await self._give_back()
            return
        if events:
            await asyncio.to_thread(self.publish, events)

    def stalled(self) -> str:
        """Why the attempt has to be given up; "" while it makes progress. For another thread than its own."""
        max_seconds = self.limits.stall_seconds
        return f"no call, row or batch for {max_seconds:,.0f} s" if self.progress.idle_seconds > max_seconds else ""

    async def _fetch(self) -> list[Event]:
        """Read everything and record the outcome. Returns the events that have to be published."""
        sink = BatchSink(self)
        try:
            return await self._fetch_into(sink)
        finally:
            sink.discard()

    async def _fetch_into(self, sink: BatchSink) -> list[Event]:
        seen = Seen()
        api: Api | None = None
        parts: list[Scope] | None = None
        failed: Exception | None = None

        def outcome() -> dict[str, object]:
            return seen.outcome(api.calls if api else 0)

        try:
            try:
                api = connected = await self.connect()
                self.progress.calls = lambda: connected.calls
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
            await sink.flush()  # what was read before a failure is loaded anyway
        except RetryLater as wait:
            max_wait_seconds = self.limits.max_wait_seconds
            return await asyncio.to_thread(
                record_wait, self.ledger, self.attempt, wait, max_wait_seconds=max_wait_seconds
            )

        if cause := failed or seen.unknown:
            ending = Ending.of(cause, items=0 if failed else seen.unknown_items, is_reached=api is not None)
            return await asyncio.to_thread(ending.record, self.ledger, self.attempt, outcome())
        return await asyncio.to_thread(
            self.ledger.fetched, self.attempt, batches=sink.batches, outcome=outcome(), parts=parts or ()
        )

    async def _read(self, api: Api, sink: BatchSink, seen: Seen) -> None:
        async for item in self.type.fetch.items(api, self.attempt.scope.part):
            self.progress.tick()
            source = Source(
                item.value,
                self.attempt.scope,
                partition=api.partition,
                tenant_name=api.tenant.name,
                access=api.tenant.access,
                unseen=item.unseen,
            )
            await _add(self.type, source, item, sink, seen)

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
    """The parts of a type that is fetched in parts; None where this attempt has to read items."""
    parts = None if scope.part else type_.fetch.parts(api)
    if parts is None:
        return None
    return [Scope(type=scope.type, tenant=scope.tenant, region=scope.region, part=part) async for part in parts]


async def _add(type_: ResourceType, source: Source, item: Item, sink: BatchSink, seen: Seen) -> None:
    if item.failure is not None:
        await _add_unread(type_, source, item.key, item.failure, sink, seen)
        return
    seen.note(item.gaps)
    try:
        item_rows = read(type_, source, item.key or None)
        packed = sink.pack(item_rows.rows, item_rows.kept)
    except (InvalidRecord, wire.InvalidRow) as error:
        seen.fail(error if isinstance(error, InvalidRecord) else InvalidRecord(str(error)))
        log.warning("%s: item rejected: %s", source.scope.shown, error)
        return
    except Exception as error:  # the other items are loaded
        seen.fail(error)
        log.exception("%s: the declaration's code failed for an item", source.scope.shown)
        return
    for reason in item_rows.rejected.values():
        log.warning("%s: rejected: %s", source.scope.shown, reason)
    seen.reject(item_rows.rejected)
    await sink.add(packed)


async def _add_unread(
    type_: ResourceType, source: Source, key: str, failure: CallFailed, sink: BatchSink, seen: Seen
) -> None:
    """An item of which nothing could be read stays as it is; one that no longer exists is skipped."""
    if failure.failure is Failure.NOT_FOUND:
        return
    if failure.failure is Failure.EXPIRED:
        raise failure
    if not key:
        seen.fail(failure)
        return
    seen.note([Gap.of(failure)])
    await sink.add(sink.pack((), unread(type_, source, key)))
