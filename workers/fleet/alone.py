"""Attempts at suspects, one at a time, in a process that each has to itself.

A scope is a suspect once a process ended, or stood still, with it and perhaps others in flight: nobody knows which of
them did that. With a process to itself, only the scope that does it again is to blame.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from concurrent.futures import Future
from contextlib import suppress
from typing import Final

from loaders.ledger import Attempt, Ledger
from workers.fleet.threads import DaemonThreads

_PROGRAM: Final = "workers.fleet.alone_process"


class ProcessEnded(Exception):
    """The process that an attempt had to itself ended before it."""


class AloneProcess:
    """One for each worker, started when it is first needed. `node`: how the ledger names the worker."""

    def __init__(self, node: str) -> None:
        self._node = node
        self._turn = threading.Lock()
        self._threads = DaemonThreads("alone")
        self._process: subprocess.Popen[str] | None = None
        self._attempt: Attempt | None = None  # that it works on
        self._abandoned = set[str]()  # tokens of attempts whose turn must not come any more

    def submit(self, ledger: Ledger, attempt: Attempt) -> Future[None]:
        """The attempt, once it is its turn. The future raises ProcessEnded, Fenced."""
        return self._threads.submit(self._take_turn, ledger, attempt)

    def abandon(self, attempt: Attempt) -> None:
        """What the attempt does doesn't count any more: its process is ended, if it has one."""
        self._abandoned.add(attempt.token)
        if self._attempt is attempt and self._process:
            self._process.kill()

    def _take_turn(self, ledger: Ledger, attempt: Attempt) -> None:
        with self._turn:
            try:
                if attempt.token not in self._abandoned:
                    ledger.alone(attempt)
                    self._attempt = attempt
                    self._send(self._running(), ledger.run, attempt)
            finally:
                self._attempt = None
                self._abandoned.discard(attempt.token)

    def _send(self, process: subprocess.Popen[str], run: str, attempt: Attempt) -> None:
        assert process.stdin
        assert process.stdout
        reply = ""
        with suppress(OSError):  # it ended in between: there is no reply
            process.stdin.write(_order(run, attempt))
            process.stdin.flush()
            reply = process.stdout.readline()
        if not reply:
            self._process = None
            raise ProcessEnded(f"the process that it had to itself ended ({_end_of(process.wait())})")

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", _PROGRAM, self._node],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
        return self._process


def _order(run: str, attempt: Attempt) -> str:
    return json.dumps({"run": run, "scope": attempt.scope.id, "number": attempt.number, "token": attempt.token}) + "\n"


def _end_of(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
