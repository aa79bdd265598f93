"""The events of tasks, for Flower: sent together, a few times a second.

Celery sends what it has each time its loop goes round. With many scopes in flight that is a message for each of them,
and a quarter of the loop's time.
"""

from __future__ import annotations

from typing import Any, Final

from celery import bootsteps
from celery.worker.consumer.events import Events

INTERVAL_SECONDS: Final = 0.25
EVENTS_PER_MESSAGE: Final = 500  # what would be more is sent at once


class EventsTogether(bootsteps.StartStopStep):
    """Of each connection to the broker, since each has an event dispatcher of its own."""

    requires = (Events,)

    def __init__(self, consumer: Any, **options: Any) -> None:
        super().__init__(consumer, **options)
        self._timer: Any = None

    def start(self, consumer: Any) -> None:
        dispatcher = consumer.event_dispatcher
        if dispatcher is None or not dispatcher.on_send_buffered:  # a pool without an event loop buffers nothing
            return
        dispatcher.on_send_buffered = None
        dispatcher.buffer_limit = EVENTS_PER_MESSAGE
        self._timer = consumer.hub.call_repeatedly(INTERVAL_SECONDS, dispatcher.flush)

    def stop(self, consumer: Any) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            consumer.event_dispatcher.flush()

    shutdown = stop
