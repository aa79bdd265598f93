"""A Celery chord of tasks that do nothing, with the fleet's pool and settings: what no scope can cost less than."""

from __future__ import annotations

import os
import time

import redis
from celery import Celery, chord

from workers.fleet.configuration import configuration
from workers.settings.settings import Settings

QUEUE, DONE = "bare", "bare:done"
BROKER = os.environ["BARE_BROKER"]
app = Celery("bare")
app.conf.update(configuration(Settings.load({}, {}).with_values({"broker_url": BROKER}, "bench")))


@app.task(name="bare.nothing")
def nothing(number: int) -> None:
    """As small as a scope's message."""


@app.task(name="bare.done")
def done() -> None:
    """The callback. Results aren't stored: it leaves the time, as epoch seconds."""
    with redis.Redis.from_url(BROKER) as broker:
        broker.set(DONE, time.time())


def run(count: int) -> float:
    """Seconds from the first message to the callback. Raises TimeoutError after a minute per 1,000 tasks."""
    start = time.time()
    header = [nothing.si(number).set(queue=QUEUE) for number in range(count)]
    chord(header, done.si().set(queue=QUEUE)).apply_async()
    with redis.Redis.from_url(BROKER) as broker:
        while time.time() < start + 60 + count * 60 / 1000:
            if (ended := broker.get(DONE)) is not None:
                return float(ended) - start
            time.sleep(0.1)
    raise TimeoutError(f"the chord of {count:,} tasks wasn't called back")
