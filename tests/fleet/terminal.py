"""A process on a terminal of its own: keys are pressed, and what it shows is read."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CTRL_C = "\x03"


@dataclass
class Terminal:
    process: subprocess.Popen[bytes]
    end: int
    shown: str = ""

    def press(self, keys: str) -> None:
        os.write(self.end, keys.encode())

    def wait_for(self, text: str, times: int = 1, seconds: float = 90) -> None:
        end = time.monotonic() + seconds
        while self.shown.count(text) < times:
            assert time.monotonic() < end, self.shown
            if select.select([self.end], [], [], 0.1)[0]:
                try:
                    self.shown += os.read(self.end, 10_000).decode(errors="replace")
                except OSError:  # it has ended
                    assert self.shown.count(text) >= times, self.shown

    def ended(self, seconds: float = 60) -> int:
        """Its exit code; what it still shows is read, as it would wait for that."""
        end = time.monotonic() + seconds
        while self.process.poll() is None:
            assert time.monotonic() < end, self.shown
            if select.select([self.end], [], [], 0.1)[0]:
                try:
                    self.shown += os.read(self.end, 10_000).decode(errors="replace")
                except OSError:
                    self.process.wait(10)
        return self.process.returncode


@contextmanager
def on_terminal(
    command: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> Iterator[Terminal]:
    end, other = pty.openpty()
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=env,
        stdin=other,
        stdout=other,
        stderr=other,
        start_new_session=True,
        preexec_fn=lambda: os.close(os.open(os.ttyname(0), os.O_RDWR)),  # it becomes the controlling terminal
    )
    os.close(other)
    try:
        yield Terminal(process, end)
    finally:
        process.kill()
        process.wait()
        os.close(end)
