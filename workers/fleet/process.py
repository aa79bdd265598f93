"""What the tasks of one worker process share: connections, the event loop of the fetches, the writer."""

from __future__ import annotations

import logging
import os
import socket
import threading
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import redis
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from loaders.ledger import Ledger
from loaders.ledger.signing import FleetKey
from loaders.masking import keep_secret_of
from tasks.clients.rate_limiter import RedisRateLimiter
from tasks.clients.response_limits import set_response_limits
from tasks.engine import registry
from workers.fleet.alone import AloneProcess
from workers.fleet.event_loop import EventLoop
from workers.fleet.fair_share import FairShare
from workers.fleet.watchdog import Watchdog
from workers.settings import process_settings
from workers.settings.fleet_key import fleet_key
from workers.settings.settings import SettingError, Settings

log = logging.getLogger(__name__)

_CLOSE_SECONDS: Final = 2.0
_MIN_BLOCKED_SECONDS: Final = 10.0  # a busy machine may keep a thread waiting for seconds

if TYPE_CHECKING:
    from loaders.graph import GraphAddress
    from loaders.loader import Loader
    from loaders.writer import Writer
    from tasks.resource import Provider

    once = cached_property
else:

    class once(cached_property):  # noqa: N801  # cached_property that two threads may ask first: one of them builds
        def __get__(self, instance: Process, owner: Any = None) -> Any:
            with instance.building:
                return super().__get__(instance, owner)


def connect_redis(url: str, *, timeout_seconds: float = 30, retries: int = 20) -> redis.Redis:
    """A client that survives a restart of Redis: it retries a call for about half a minute. Replies are bytes."""
    keep_secret_of(url)
    return redis.Redis.from_url(
        url,
        socket_connect_timeout=5,
        socket_timeout=timeout_seconds,
        health_check_interval=30,
        retry=Retry(ExponentialBackoff(cap=2, base=0.05), retries=retries),
        retry_on_error=[redis.ConnectionError, redis.TimeoutError, redis.BusyLoadingError],
    )


_node = socket.gethostname()  # of a process that isn't a worker's


def name_node(name: str) -> None:
    """From here on, this process and those that it forks belong to the worker of this name, e.g. fetch-1@host."""
    global _node
    _node = name


def name_of_process(pid: int) -> str:
    """How the ledger names a process of this worker, e.g. fetch-1@host:4711."""
    return f"{_node}:{pid}"


def writer_of(address: GraphAddress, settings: Settings) -> Writer:
    """A writer that waits and gives up as the settings say."""
    from loaders.writer import Writer  # imports the driver, which only those that write need

    return Writer(
        address.driver(),
        address.database,
        lease_seconds=settings.writer_lease_seconds,
        transaction_seconds=settings.transaction_seconds,
    )


class Process:
    """Built on first use in each process; after a fork the child builds its own."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.building = threading.RLock()
        self.name = name_of_process(os.getpid())
        self._providers: dict[str, Provider] = {}
        set_response_limits(settings.response_limits)

    @once
    def heartbeats(self) -> redis.Redis:
        """Connections of their own for what must not wait: heartbeats, and a scope that is given back at the end."""
        return connect_redis(self._broker, timeout_seconds=5, retries=3)

    @once
    def redis(self) -> redis.Redis:
        return connect_redis(self._broker)

    @property
    def _broker(self) -> str:
        if self.settings.broker is None:
            raise SettingError("broker_url", None, "a worker needs the fleet's Redis: set CHARTFLEET_BROKER_URL")
        return self.settings.broker

    def ledger(self, run: str) -> Ledger:
        """Of a run that this fleet's key signed. Raises SettingError without a key."""
        return Ledger(self.redis, run, self.fleet_key)

    @once
    def fleet_key(self) -> FleetKey:
        return fleet_key()

    def heartbeat_ledger(self, run: str) -> Ledger:
        return Ledger(self.heartbeats, run)

    @once
    def rate_limiter(self) -> RedisRateLimiter:
        return RedisRateLimiter(self.redis)

    @once
    def writer(self) -> Writer:
        address = self.settings.graph_address
        if address is None:
            raise SettingError("neo4j_uri", None, "a loader needs the graph: set CHARTFLEET_NEO4J_URI")
        return writer_of(address, self.settings)

    @once
    def loader(self) -> Loader:
        from loaders.brake import Brake
        from loaders.loader import Loader

        settings = self.settings
        brake = Brake(rows=settings.deletion_brake_rows, share=settings.deletion_brake_share)
        return Loader(self.writer, registry.schema(), brake=brake)

    @once
    def loop(self) -> EventLoop:
        return EventLoop()

    def provider(self, name: str) -> Provider:
        """One whose API this process calls from here on: what it opens is closed with the process."""
        self._providers[name] = found = registry.provider(name)
        return found

    def close_clients(self) -> None:
        """Close what providers have opened. Never raises: the process ends anyway."""
        for provider in self._providers.values():
            try:
                self.loop.submit(_closed(provider)).result(_CLOSE_SECONDS)
            except Exception as error:  # noqa: BLE001  # of a client of any kind
                log.warning("the clients of %s weren't closed: %s", provider.name, type(error).__name__)

    @once
    def watchdog(self) -> Watchdog:
        """A process whose event loop doesn't respond for the length of a lease counts as stuck."""
        return Watchdog(self.loop, blocked_seconds=max(_MIN_BLOCKED_SECONDS, self.settings.lease_seconds))

    @once
    def fair_share(self) -> FairShare:
        return FairShare(self.settings.scopes_in_flight)

    @once
    def alone(self) -> AloneProcess:
        return AloneProcess(_node)


async def _closed(provider: Provider) -> None:
    await provider.close()


_processes: dict[int, Process] = {}
_lock = threading.Lock()


def process() -> Process:
    """The one of the calling process."""
    with _lock:
        if os.getpid() not in _processes:
            _processes.clear()  # inherited by a fork: its sockets and its event loop belong to the parent
            _processes[os.getpid()] = Process(process_settings.current())
        return _processes[os.getpid()]
