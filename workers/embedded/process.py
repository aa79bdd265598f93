"""A detached server process: start it, recognize it by pid and start time, wait for it, stop it."""

from __future__ import annotations

import os
import re
import secrets
import signal
import socket
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from workers.embedded.errors import Crashed, EmbeddedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import psutil

START_SECONDS: Final = 180  # a graph that was killed first replays its transaction logs
STOP_SECONDS: Final = 30
_SAME_START_SECONDS: Final = 2.0  # the system clock may be adjusted in between
_ENVIRONMENT: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "JDK_JAVA_OPTIONS")
_TELLING: Final = re.compile(r"error|fatal|caused by|exception|can't|cannot|could not|denied|failed", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class ServerProcess:
    """A pid and its start time in seconds since the epoch, which tells it from a later process with that pid."""

    pid: int
    started_at: float

    def find(self) -> psutil.Process | None:
        """The process that was started, if it is still running. A zombie isn't."""
        import psutil

        try:
            process = psutil.Process(self.pid)
            if abs(process.create_time() - self.started_at) > _SAME_START_SECONDS:
                return None
            # A killed process shows as a zombie while its threads still hold its ports and files.
            if process.status() == psutil.STATUS_ZOMBIE and process.num_threads() <= 1:
                process.wait(timeout=0)  # reaps it, if it is a child of this process
                return None
            return process
        except (psutil.NoSuchProcess, psutil.TimeoutExpired):
            return None

    @property
    def alive(self) -> bool:
        return self.find() is not None

    def send(self, number: signal.Signals) -> None:
        import psutil

        if process := self.find():
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def listens_on(self, port: int) -> bool:
        """Whether it is this process that has the port: no password is sent to another one."""
        import psutil

        try:
            connections = psutil.Process(self.pid).net_connections("tcp")
        except psutil.Error:
            return False
        return any(each.status == psutil.CONN_LISTEN and each.laddr.port == port for each in connections)


def spawn(command: Sequence[str | Path], *, directory: Path, log: Path) -> ServerProcess:
    """Start a server that outlives this process, with its output in `log`; the previous log becomes `*.1`."""
    import psutil

    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if log.exists():
        log.replace(log.with_name(f"{log.name}.1"))
    with log.open("wb") as output:
        child = subprocess.Popen(
            command,
            cwd=directory,
            # Not all of ours: it may hold credentials, which a long-running server has no use for.
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches the command only, which stops the servers in order
            umask=0o077,
        )
    try:
        started_at = psutil.Process(child.pid).create_time()
    except psutil.NoSuchProcess:
        started_at = time.time()
    child.returncode = 0  # no ResourceWarning when this object is collected: the process is meant to go on
    return ServerProcess(pid=child.pid, started_at=started_at)


def wait_until_ready(
    name: str, process: ServerProcess, ports: Sequence[int], responds: Callable[[], bool], log: Path
) -> None:
    """Wait until the server has its ports and responds. Raises Crashed; EmbeddedError after START_SECONDS."""
    deadline = time.monotonic() + START_SECONDS
    while not (all(process.listens_on(port) for port in ports) and responds()):
        if not process.alive:
            raise Crashed(f"The embedded {name} stopped while starting: {last_telling_line(log)} ({log})")
        if time.monotonic() > deadline:
            raise EmbeddedError(
                f"The embedded {name} did not respond within {START_SECONDS} s: {last_telling_line(log)} ({log})"
            )
        time.sleep(0.05)


def stop_all(processes: Sequence[ServerProcess]) -> None:
    """Terminate them, all at once, and kill those that are still running after STOP_SECONDS."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for process in processes:
            process.send(number)
        deadline = time.monotonic() + STOP_SECONDS
        # Not psutil.wait_procs: it would wait for zombies that are never reaped, as in many containers.
        while any(process.alive for process in processes) and time.monotonic() < deadline:
            time.sleep(0.05)


def free_port(*preferred: int) -> int:
    """The first preferred port that is free on 127.0.0.1, else any free port."""
    return next((port for port in preferred if is_free(port)), None) or _bound_port(0)


def is_free(port: int) -> bool:
    try:
        _bound_port(port)
    except OSError:
        return False
    return True


def _bound_port(port: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: TIME_WAIT doesn't matter
        probe.bind(("127.0.0.1", port))
        return int(probe.getsockname()[1])


def password_in(file: Path, *, characters: int = 32) -> str:
    """The password in a file of mode 0600; a random one is generated the first time."""
    if not file.exists():
        write_private(file, secrets.token_urlsafe(characters * 3 // 4))
    return file.read_text().strip()


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner can read, atomically."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = file.with_name(f"{file.name}.{os.getpid()}.new")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as output:
        output.write(text)
    draft.replace(file)


def last_telling_line(log: Path) -> str:
    """The line of a log that best explains why its server exited: the last that mentions a failure, else the last."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines()]
    lines = [line for line in lines if line and not line.startswith("at ")]
    telling = [line for line in lines if _TELLING.search(line)]
    return (telling or lines or ["it printed nothing"])[-1]
