"""Celery's transport over Redis, for a Redis whose memory is full.

Such a Redis refuses each command that may need memory, and everything within MULTI: a worker could neither note nor
acknowledge a message, and would end. What Celery does here needs no more memory than it frees, or next to none. So it
is done by scripts that begin with a deletion: after that, Redis lets a script finish. Only messages are refused.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any, Final

from kombu import transport
from kombu.transport import redis, virtual
from kombu.utils.json import dumps
from redis import OutOfMemoryError

log = logging.getLogger(__name__)

_WAIT_SECONDS: Final = 0.3  # for a message, before it waits anew: a worker that is to end waits for so long first

_NOTE: Final = """
redis.call('HDEL', KEYS[2], ARGV[2])
redis.call('ZADD', KEYS[1], ARGV[1], ARGV[2])
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
"""
_ACKNOWLEDGE: Final = """
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
"""
_BIND: Final = """
redis.call('SREM', KEYS[1], '')
redis.call('SADD', KEYS[1], ARGV[1])
redis.call('SADD', KEYS[2], ARGV[1])
"""


class QoS(redis.QoS):
    """Keeps the messages that a worker has received and not acknowledged."""

    def append(self, message: Any, delivery_tag: str) -> None:
        place = message.delivery_info
        noted = dumps([message._raw, place["exchange"], place["routing_key"]])
        self._call(_NOTE, time.time(), delivery_tag, noted)
        virtual.QoS.append(self, message, delivery_tag)

    def ack(self, delivery_tag: str) -> None:
        self._call(_ACKNOWLEDGE, delivery_tag)
        virtual.QoS.ack(self, delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        if requeue:
            super().reject(delivery_tag, requeue=True)
        else:
            self.ack(delivery_tag)

    def restore_visible(self, *args: Any, **kwargs: Any) -> None:
        """Deliver again what nobody acknowledged in time: that can wait for memory."""
        try:
            super().restore_visible(*args, **kwargs)
        except OutOfMemoryError as error:
            log.debug("no message is delivered again for now: %s", error)

    def _call(self, script: str, *arguments: Any) -> None:
        channel: Any = self.channel  # the stubs of kombu lack most of it, here and below
        with channel.conn_or_acquire() as client:
            client.eval(script, 2, self.unacked_index_key, self.unacked_key, *arguments)


class Channel(redis.Channel):
    QoS = QoS

    @contextmanager
    def conn_or_acquire(self, client: Any = None) -> Iterator[Any]:
        """One client for all commands: kombu makes one for each, which takes longer than the command itself."""
        yield client or self._commands

    @cached_property
    def _commands(self) -> Any:
        own: Any = self
        return own._create_client()

    def _size(self, queue: str) -> int:
        own: Any = self
        with own.conn_or_acquire() as client:
            return sum(client.llen(own._q_for_pri(queue, priority)) for priority in own.priority_steps)

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        own: Any = self
        if queue in own._expires or own.typeof(exchange).type == "fanout":
            super()._queue_bind(exchange, routing_key, pattern, queue)  # type: ignore[misc]
            return
        table, permanent = own.keyprefix_queue % (exchange,), own.keyprefix_binding_permanent % (exchange,)
        with own.conn_or_acquire() as client:
            client.eval(_BIND, 2, table, permanent, own.sep.join([routing_key or "", pattern or "", queue or ""]))


class Transport(redis.Transport):
    brpop_timeout = _WAIT_SECONDS  # type: ignore[assignment]  # seconds; Redis takes fractions
    Channel = Channel


def use() -> None:
    """From here on, redis:// and rediss:// mean this transport: under its own name, Flower wouldn't know what it is."""
    for scheme in ("redis", "rediss"):
        transport.TRANSPORT_ALIASES[scheme] = f"{__name__}:Transport"
        vars(transport)["_transport_cache"].pop(scheme, None)  # this process may have connected before
