"""Ends what a test session started and left running, however the session itself ended: also by SIGKILL.

A plugin of pytest, and a process of its own that it starts. All that a session starts, and what that starts in turn,
is known by the session's temporary directory: it is in the environment, as TMPDIR. (Redis writes its title over its
environment: it is known by its working directory. A shell with a terminal that somebody left there is none of ours.)
The process waits for the end of its stdin, of which pytest alone has the other end.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

PATIENCE_SECONDS = 30  # what is killed may be replaced by a parent that is found a moment later
GRACE_SECONDS = 1  # what ends with pytest by itself
_reaper = pytest.StashKey[subprocess.Popen[bytes]]()


@pytest.hookimpl(trylast=True)  # after the plugin that makes the temporary directory
def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):  # of xdist: it has its directory in that of the session, and its environment
        return
    base: Path = config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]
    temporary = base / "tmp"
    temporary.mkdir()
    config.stash[_reaper] = subprocess.Popen(
        [sys.executable, "-P", __file__],
        stdin=subprocess.PIPE,
        cwd="/",
        start_new_session=True,  # what kills a whole group mustn't kill this
    )
    stdin = config.stash[_reaper].stdin
    assert stdin is not None
    stdin.write(f"{base}/\n".encode())
    stdin.flush()
    os.environ["TMPDIR"] = str(temporary)  # passed on by all that starts something


# -- the process


def of_session(mark: str) -> list[int]:
    """Every process that has the mark."""
    pids = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [pid for pid in pids if pid != os.getpid() and _is_marked(Path("/proc", str(pid)), mark.encode())]


def _is_marked(process: Path, mark: bytes) -> bool:
    try:
        state, *_, terminal = (process / "stat").read_bytes().rpartition(b")")[2].split()[:5]
        works_there = os.fsencode(os.readlink(process / "cwd")).startswith(mark) and terminal == b"0"
        return state != b"Z" and (works_there or mark in (process / "environ").read_bytes())
    except OSError:  # gone by now, or another user's
        return False


def reap(mark: str) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while (left := of_session(mark)) and time.monotonic() < end:
        for pid in left:
            try:
                name = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                os.kill(pid, signal.SIGKILL)
                print(f"left running by the tests, and killed: {pid} {name:.120}", file=sys.stderr, flush=True)
            except OSError:
                continue
        time.sleep(0.1)


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    mark = sys.stdin.readline().strip()
    sys.stdin.read()
    time.sleep(GRACE_SECONDS)
    reap(mark)


if __name__ == "__main__":
    main()
