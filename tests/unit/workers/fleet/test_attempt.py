"""An attempt whose calls hang, or whose code computes: its process lives, and says so; and it ends in time."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
import redis
from celery import Celery

from loaders.ledger import Event, Fenced, Ledger, State, Unit
from loaders.model import Node, key
from loaders.scope import Scope
from tasks.engine.fetch import Fetching, FetchLimits
from tasks.resource import Item, Per, ResourceType, Tenant
from workers.fleet.attempt import SHUTDOWN
from workers.fleet.fetching import _run
from workers.fleet.process import Process
from workers.fleet.publisher import Publisher
from workers.settings.settings import Settings

PLANNER = Scope(type="toy.tenants", tenant="toy")
SCOPE = Scope(type="toy.things", tenant="t")
LEASE_SECONDS = 0.6
CALLS = 25  # of one scope: more than asyncio's own executor has threads on a small machine

Source = Callable[[], AsyncIterator[Item]]


class Thing(Node, label="Thing"):
    id: str = key("id")


@dataclass
class ToyApi:
    tenant: Tenant = field(default_factory=lambda: Tenant(provider="toy", id="t"))
    partition: str = "toy"
    calls: int = 0


@dataclass
class Toy:
    source: Source
    calls: tuple[str, ...] = ("toy:List",)

    def items(self, api: ToyApi, part: str) -> AsyncIterator[Item]:
        return self.source()

    def parts(self, api: ToyApi) -> None:
        return None


@dataclass
class Fetcher:
    """A worker process that makes one attempt at a scope, and the sweeper of another worker beside it."""

    process: Process
    ledger: Ledger
    publisher: Publisher
    stopping: threading.Event = field(default_factory=threading.Event)
    swept: list[Scope] = field(default_factory=list)

    def fetch(self, source: Source, **limits: Any) -> None:
        """Raises Fenced."""
        attempt = self.ledger.begin(SCOPE, lease_seconds=LEASE_SECONDS, worker=self.process.name)
        assert attempt is not None

        async def connect() -> Any:
            return ToyApi()

        fetching = Fetching(
            type=ResourceType("toy.things", Per.TENANT, Toy(source), (Thing,)),
            attempt=attempt,
            connect=connect,
            ledger=self.ledger,
            publish=lambda events: None,
            limits=FetchLimits(**limits),
        )
        done = threading.Event()
        sweeper = threading.Thread(target=self._sweep, args=(done,))
        sweeper.start()
        try:
            _run(self.process, fetching, self.publisher, self.stopping.is_set)
        finally:
            done.set()
            sweeper.join()

    def _sweep(self, done: threading.Event) -> None:
        while not done.wait(0.1):
            _, scopes = self.ledger.sweep(
                lease_seconds=LEASE_SECONDS, max_crashes=3, redelivery_grace_seconds=60, broker="b", queued={}
            )
            self.swept += scopes

    @property
    def unit(self) -> Unit:
        unit = self.ledger.unit(SCOPE)
        assert unit is not None
        return unit


@pytest.fixture
def fetcher(broker_url: str, broker: redis.Redis) -> Iterator[Fetcher]:
    values = {"broker_url": broker_url, "lease_seconds": LEASE_SECONDS, "max_crashes": 3}
    ledger = Ledger(broker, "1-toy")
    ledger.open(tag=1, config={}, window=1, planners=[PLANNER])
    planner = ledger.begin(PLANNER, lease_seconds=60, worker="test")
    assert planner is not None
    ledger.plan(planner, [(SCOPE, True, 0.0)], queue=False)
    process = Process(Settings.load({}, {}).with_values(values, "test"))
    yield Fetcher(process, ledger, Publisher(Celery("test", broker=broker_url, set_as_current=False)))
    ledger.forget()


@pytest.fixture
def hung() -> Iterator[threading.Event]:
    """A server that never responds, until the test is over."""
    event = threading.Event()
    yield event
    event.set()


def hanging(hung: threading.Event, seconds: float = 60) -> Source:
    async def source() -> AsyncIterator[Item]:
        yield Item({"id": "1"})
        await asyncio.gather(*(asyncio.to_thread(hung.wait, seconds) for _ in range(CALLS)))
        yield Item({"id": "2"})

    return source


def busy(work: Callable[[], None]) -> Source:
    async def source() -> AsyncIterator[Item]:
        yield Item({"id": "1"})
        work()
        yield Item({"id": "2"})

    return source


def compute() -> None:
    end = time.monotonic() + 3 * LEASE_SECONDS
    while time.monotonic() < end:
        sum(range(1000))


def test_many_slow_calls_are_no_crash(fetcher: Fetcher, hung: threading.Event) -> None:
    """All of them at the same time: none waits for the thread of another."""
    start = time.monotonic()
    fetcher.fetch(hanging(hung, seconds=3 * LEASE_SECONDS))
    assert time.monotonic() - start < 6 * LEASE_SECONDS
    assert (fetcher.swept, fetcher.unit.state, fetcher.unit.rows) == ([], State.FETCHED, 2)


@pytest.mark.parametrize("work", [compute, lambda: time.sleep(3 * LEASE_SECONDS)], ids=["computes", "blocks"])
def test_code_that_keeps_the_event_loop_busy_is_no_crash(fetcher: Fetcher, work: Callable[[], None]) -> None:
    fetcher.fetch(busy(work))
    assert (fetcher.swept, fetcher.unit.state, fetcher.unit.attempt) == ([], State.FETCHED, 1)


def test_without_progress_the_attempt_is_given_up_and_nothing_died(fetcher: Fetcher, hung: threading.Event) -> None:
    for _ in range(3):
        start = time.monotonic()
        fetcher.fetch(hanging(hung), stall_seconds=0.5)
        assert time.monotonic() - start < 3
    assert (fetcher.unit.state, fetcher.unit.crashes) == (State.QUARANTINED, 0)
    assert fetcher.unit.reason == "3 attempts were given up: no call, row or batch for 0 s"


def test_a_scope_is_given_up_while_the_event_loop_is_blocked(fetcher: Fetcher) -> None:
    begun: list[float] = []

    def block() -> None:
        time.sleep(2)
        begun.append(fetcher.unit.attempt)

    fetcher.fetch(busy(block), stall_seconds=0.5)
    assert SCOPE in fetcher.swept, "another worker could begin it meanwhile"
    assert begun == [1], "the process is free only now"
    assert fetcher.unit.crashes == 0


def test_an_attempt_that_takes_too_long_is_given_up(fetcher: Fetcher, hung: threading.Event) -> None:
    fetcher.process.settings = fetcher.process.settings.with_values({"hard_time_limit_seconds": 1}, "test")
    fetcher.fetch(hanging(hung))
    assert (fetcher.unit.state, fetcher.unit.crashes) == (State.PLANNED, 0)


@pytest.mark.parametrize("blocked", [False, True], ids=["calls hang", "the event loop is blocked"])
def test_a_shutdown_gives_the_scope_back_at_once(fetcher: Fetcher, hung: threading.Event, blocked: bool) -> None:
    threading.Timer(0.5, fetcher.stopping.set).start()
    start = time.monotonic()
    fetcher.fetch(busy(lambda: time.sleep(5)) if blocked else hanging(hung))
    assert time.monotonic() - start < 3
    assert (fetcher.unit.state, fetcher.unit.reason, fetcher.unit.crashes) == (State.PLANNED, SHUTDOWN, 0)


def test_an_attempt_that_lost_its_scope_stops(fetcher: Fetcher) -> None:
    pages = 0

    async def source() -> AsyncIterator[Item]:
        nonlocal pages
        while True:
            pages += 1
            yield Item({"id": str(pages)})
            await asyncio.sleep(0.05)

    threading.Timer(0.3, lambda: fetcher.ledger.cancel("test")).start()
    with pytest.raises(Fenced):
        fetcher.fetch(source)
    assert pages < 100


def test_calls_are_progress(fetcher: Fetcher) -> None:
    """The details of a large lookup come long before the first item."""
    api = ToyApi()

    async def source() -> AsyncIterator[Item]:
        for _ in range(10):
            await asyncio.sleep(0.2)
            api.calls += 1
        yield Item({"id": "1"})

    with pytest.MonkeyPatch.context() as patch, suppress(Fenced):
        patch.setattr(f"{__name__}.ToyApi", lambda: api)
        fetcher.fetch(source, stall_seconds=0.5)
    assert fetcher.unit.state is State.FETCHED


def test_what_follows_is_published(fetcher: Fetcher, hung: threading.Event) -> None:
    published: list[Event] = []
    fetcher.publisher.publish_events = lambda run, events: published.extend(events)  # type: ignore[method-assign]
    fetcher.process.settings = fetcher.process.settings.with_values({"max_crashes": 1}, "test")
    fetcher.fetch(hanging(hung), stall_seconds=0.3)
    fetcher.ledger.committed([str(batch) for batch in fetcher.ledger.batches(SCOPE)])
    assert published == [Event.BARRIER]
