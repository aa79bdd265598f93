"""A process in which something can't be ended otherwise ends itself, and knows who is to blame."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest

from workers.fleet import watchdog
from workers.fleet.event_loop import EventLoop
from workers.fleet.watchdog import EXIT_CODE, Watchdog


@pytest.fixture(autouse=True)
def short_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "TICK_SECONDS", 0.05)
    monkeypatch.setattr(watchdog, "HAND_BACK_SECONDS", 0.05)


class Ended:
    """In place of the end of this process."""

    def __init__(self) -> None:
        self.code: int | None = None
        self.at_once = threading.Event()

    def __call__(self, code: int) -> None:
        self.code = code
        self.at_once.set()


@pytest.fixture
def ended() -> Ended:
    return Ended()


@pytest.fixture
def loop() -> EventLoop:
    return EventLoop()


@pytest.fixture
def blocked() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def test_who_blocks_the_event_loop_is_to_blame_and_nobody_else(
    loop: EventLoop, ended: Ended, blocked: threading.Event
) -> None:
    async def waits() -> None:
        await asyncio.sleep(60)

    async def blocks() -> None:
        await asyncio.gather(compute())  # in a task of its own, as the details of an item are

    async def compute() -> None:
        blocked.wait(30)

    watching = Watchdog(loop, blocked_seconds=0.5, end=ended)
    loop.submit(waits(), owner="innocent")
    loop.submit(blocks(), owner="guilty")
    assert ended.at_once.wait(10)
    assert (watching.culprit, ended.code) == ("guilty", EXIT_CODE)
    assert watching.ending.startswith("code of guilty has kept the event loop busy for")


def test_many_that_only_wait_are_no_reason(loop: EventLoop, ended: Ended) -> None:
    watching = Watchdog(loop, blocked_seconds=0.3, end=ended)
    for number in range(50):
        loop.submit(asyncio.sleep(60), owner=str(number))
    time.sleep(1)
    assert (watching.ending, ended.code) == ("", None)


def test_a_task_beyond_its_limit_ends_the_process(loop: EventLoop, ended: Ended) -> None:
    watching = Watchdog(loop, blocked_seconds=60, end=ended)
    with watching.limit("chartfleet.load", 0.2):
        assert ended.at_once.wait(10)
    assert (watching.ending, watching.culprit) == ("chartfleet.load isn't done after 0 s", "")


def test_a_task_that_ends_in_time_doesnt(loop: EventLoop, ended: Ended) -> None:
    watching = Watchdog(loop, blocked_seconds=60, end=ended)
    with watching.limit("chartfleet.load", 0.3):
        pass
    time.sleep(0.6)
    assert watching.ending == ""


def test_where_the_loop_is_can_be_told(loop: EventLoop, blocked: threading.Event) -> None:
    async def compute() -> None:
        blocked.wait(30)

    loop.submit(compute(), owner="busy")
    while not loop.busy_with():
        time.sleep(0.01)
    assert loop.busy_with() == "busy"
    assert "blocked.wait(30)" in loop.stack()
