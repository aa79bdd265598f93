"""A Celery chord of tasks that do nothing, with the fleet's pool and settings: what no scope can cost less than."""

from __future__ import annotations

import os
import time

from celery import Celery, chord

from workers.fleet.configuration import configuration
from workers.settings.settings import Settings

QUEUE = "bare"
app = Celery("bare")
app.conf.update(configuration(Settings.load({}, {}).with_values({"broker_url": os.environ["BARE_BROKER"]}, "bench")))


@app.task(name="bare.nothing")
def nothing(number: int) -> None:
    """As small as a scope's result."""


@app.task(name="bare.done")
def done(_: object) -> float:
    """When the callback ran, as epoch seconds."""
    return time.time()


def run(count: int) -> float:
    """Seconds from the first message to the callback."""
    start = time.time()
    callback = done.si(None).set(queue=QUEUE)
    result = chord([nothing.si(number).set(queue=QUEUE) for number in range(count)], callback).apply_async()
    return float(result.get(timeout=3600)) - start
