"""What a command needs: seconds, and CPU time and memory of all processes that it starts, by role."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil

_SAMPLE_SECONDS: Final = 0.2
_FORK_SECONDS: Final = 2.0  # between fork and exec, on a busy machine
_TIMEOUT_SECONDS: Final = 3600.0

Role = Callable[[Sequence[str]], str]  # of a process, by its command line


@dataclass(frozen=True, slots=True)
class Share:
    """Of all processes of one role: CPU seconds, and the most memory (RSS) that they had together at one time."""

    cpu_seconds: float
    peak_bytes: int
    processes: int


@dataclass(frozen=True, slots=True)
class Usage:
    """Of a command with all that it started.

    `cpu_seconds` is what the system accounted for when the command had ended. That of a role is as last sampled: up to
    a fifth of a second of each process is missing. Memory is resident (RSS): what processes share counts for each.
    `beside`: the services that ran before it.
    """

    exit_code: int
    wall_seconds: float
    cpu_seconds: float
    peak_bytes: int
    roles: dict[str, Share]
    beside: dict[str, Share]


@dataclass(slots=True)
class _Process:
    role: str
    handle: Any  # psutil.Process
    cpu_before: float = 0.0
    cpu_now: float = 0.0


@dataclass(slots=True)
class _Sampler:
    """Looks at a tree of processes again and again, until it is stopped."""

    root: int
    role_of: Role
    beside: Mapping[str, int]  # role -> pid
    _known: dict[int, _Process] = field(default_factory=dict)
    _peaks: dict[str, int] = field(default_factory=dict)
    peak_bytes: int = 0

    def __post_init__(self) -> None:
        for role, pid in self.beside.items():
            handle = psutil.Process(pid)
            self._known[pid] = _Process(role, handle, before := cpu_seconds(handle), before)

    def until(self, ended: threading.Event) -> None:
        while not ended.wait(_SAMPLE_SECONDS):
            self.sample()

    def sample(self) -> None:
        try:
            root = psutil.Process(self.root)
            self._find([root, *root.children(recursive=True)])
        except psutil.NoSuchProcess:
            pass
        bytes_of: dict[str, int] = {}
        for process in self._known.values():
            try:
                with process.handle.oneshot():
                    process.cpu_now = cpu_seconds(process.handle)
                    rss: int = process.handle.memory_info().rss
            except psutil.NoSuchProcess:
                continue
            bytes_of[process.role] = bytes_of.get(process.role, 0) + rss
        for role, total in bytes_of.items():
            self._peaks[role] = max(self._peaks.get(role, 0), total)
        tree = sum(total for role, total in bytes_of.items() if role not in self.beside)
        self.peak_bytes = max(self.peak_bytes, tree)

    def _find(self, handles: Sequence[Any]) -> None:
        for handle in handles:
            known = self._known.get(handle.pid)
            if known is not None and known.handle == handle:
                continue
            try:
                if not _is_still_its_parent(handle):
                    self._known[handle.pid] = _Process(self.role_of(handle.cmdline()), handle)
            except psutil.NoSuchProcess:
                continue

    def shares(self, *, beside: bool) -> dict[str, Share]:
        found: dict[str, Share] = {}
        for role in {process.role for process in self._known.values()}:
            if (role in self.beside) == beside:
                own = [process for process in self._known.values() if process.role == role]
                cpu_seconds = sum(process.cpu_now - process.cpu_before for process in own)
                found[role] = Share(cpu_seconds, self._peaks.get(role, 0), len(own))
        return found


def measure(
    command: Sequence[str], variables: Mapping[str, str], output: Path, role_of: Role, beside: Mapping[str, int]
) -> Usage:
    """Runs the command to its end. `output`: the file for what it says, its stderr beside it with `.err`.
    Raises TimeoutExpired after an hour.
    """
    with output.open("wb") as out, output.with_name(f"{output.name}.err").open("wb") as err:
        start = time.monotonic()
        process = subprocess.Popen(command, env=dict(variables), stdout=out, stderr=err, stdin=subprocess.DEVNULL)
        sampler, ended = _Sampler(process.pid, role_of, beside), threading.Event()
        thread = threading.Thread(target=sampler.until, args=(ended,), daemon=True)
        timer = threading.Timer(_TIMEOUT_SECONDS, process.terminate)
        thread.start()
        timer.start()
        try:
            _, status, used = os.wait4(process.pid, 0)  # with what it has waited for itself, which nothing else tells
        finally:
            wall_seconds = time.monotonic() - start
            timer.cancel()
            ended.set()
            thread.join()
        process.returncode = os.waitstatus_to_exitcode(status)
    sampler.sample()  # the services
    if wall_seconds > _TIMEOUT_SECONDS:
        raise subprocess.TimeoutExpired(command, _TIMEOUT_SECONDS)
    return Usage(
        exit_code=process.returncode,
        wall_seconds=wall_seconds,
        cpu_seconds=used.ru_utime + used.ru_stime,
        peak_bytes=sampler.peak_bytes,
        roles=sampler.shares(beside=False),
        beside=sampler.shares(beside=True),
    )


def _is_still_its_parent(handle: Any) -> bool:
    """Between fork and exec a process has its parent's command line, and its memory: that would count twice."""
    if time.time() - handle.create_time() > _FORK_SECONDS:
        return False
    parent = handle.parent()
    return parent is not None and bool(parent.cmdline() == handle.cmdline())


def cpu_seconds(handle: Any) -> float:
    """Of a process (psutil.Process), up to now."""
    times = handle.cpu_times()
    return float(times.user + times.system)
