"""Ctrl-C while a run is followed, on a terminal and without one."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

# Follows a run that never ends, and says what would become of it.
PROGRAM = """
import signal, sys, time
from rich.console import Console
from workers.commands.following import Interrupted, follow
from workers.commands.interruption import Terminated, terminate
signal.signal(signal.SIGTERM, terminate)

def until_the_end():
    print("following", flush=True)
    time.sleep(60)

try:
    follow("7-abcd", until_the_end, Console(stderr=True), local=sys.argv[1:] == ["local"])
except Interrupted as error:
    print("chosen:", error.choice, flush=True)
except Terminated:
    print("terminated", flush=True)
except KeyboardInterrupt:
    print("not asked", flush=True)
"""
COMMAND = [sys.executable, "-c", PROGRAM]
QUESTION = "Run 7-abcd isn't over"


@dataclass
class Terminal:
    """A process on a terminal of its own."""

    process: subprocess.Popen[bytes]
    end: int
    shown: str = ""

    def press(self, keys: str) -> None:
        os.write(self.end, keys.encode())

    def wait_for(self, text: str, times: int = 1, seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while self.shown.count(text) < times:
            assert time.monotonic() < end, self.shown
            if select.select([self.end], [], [], 0.1)[0]:
                try:
                    self.shown += os.read(self.end, 10_000).decode()
                except OSError:  # it has ended
                    assert self.shown.count(text) >= times, self.shown


def on_terminal(*arguments: str) -> Iterator[Terminal]:
    end, other = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, *arguments],
        stdin=other,
        stdout=other,
        stderr=other,
        start_new_session=True,
        preexec_fn=lambda: os.close(os.open(os.ttyname(0), os.O_RDWR)),  # it becomes the controlling terminal
    )
    os.close(other)
    yield Terminal(process, end)
    process.kill()
    process.wait()
    os.close(end)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    for terminal in on_terminal():
        terminal.wait_for("following")
        yield terminal


CTRL_C = "\x03"


@pytest.mark.parametrize(
    ("answer", "chosen"),
    [("\n", "leave"), ("l\n", "leave"), ("c\n", "cancel"), (CTRL_C, "cancel"), ("?\nC\n", "cancel")],
)
def test_ctrl_c_asks_what_becomes_of_the_run(terminal: Terminal, answer: str, chosen: str) -> None:
    terminal.press(CTRL_C)
    terminal.wait_for(QUESTION)
    terminal.press(answer)
    terminal.wait_for(f"chosen: {chosen}")


def test_watching_on_is_possible(terminal: Terminal) -> None:
    terminal.press(CTRL_C)
    terminal.wait_for(QUESTION)
    terminal.press("w\n")
    terminal.wait_for("following", times=2)
    terminal.press(CTRL_C)
    terminal.wait_for(QUESTION, times=2)


def test_a_local_run_can_be_left_for_resume(terminal: Terminal) -> None:
    for local in on_terminal("local"):
        local.wait_for("following")
        local.press(CTRL_C)
        local.wait_for("leave it for `chartfleet sync --resume 7-abcd`")


def test_sigterm_asks_nobody(terminal: Terminal) -> None:
    """Not even while the question stands."""
    terminal.press(CTRL_C)
    terminal.wait_for(QUESTION)
    terminal.process.send_signal(signal.SIGTERM)
    terminal.wait_for("terminated")


def test_without_a_terminal_nobody_is_asked() -> None:
    process = subprocess.Popen(COMMAND, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout
    assert process.stdout.readline() == b"following\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (out, err) == (b"not asked\n", b"")
