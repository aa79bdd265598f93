"""Ctrl-C while a run is followed, on a terminal and without one."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.fleet.terminal import CTRL_C, Terminal, on_terminal

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


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    with on_terminal(COMMAND) as terminal:
        terminal.wait_for("following")
        yield terminal


@pytest.mark.parametrize(
    ("keys", "chosen"),
    [("\n", "leave"), ("l\n", "leave"), ("c\n", "cancel"), (CTRL_C, "cancel"), ("?\nC\n", "cancel")],
)
def test_ctrl_c_asks_what_becomes_of_the_run(terminal: Terminal, keys: str, chosen: str) -> None:
    terminal.press(CTRL_C)
    terminal.wait_for(QUESTION)
    terminal.press(keys)
    terminal.wait_for(f"chosen: {chosen}")


def test_watching_on_is_possible(terminal: Terminal) -> None:
    terminal.press(CTRL_C)
    terminal.wait_for(QUESTION)
    terminal.press("w\n")
    terminal.wait_for("following", times=2)
    terminal.press(CTRL_C)
    terminal.wait_for(QUESTION, times=2)


def test_a_local_run_can_be_left_for_resume() -> None:
    with on_terminal([*COMMAND, "local"]) as local:
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
