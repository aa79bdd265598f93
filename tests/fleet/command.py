"""The real `chartfleet`, in a process of its own and with an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from tests.fleet.terminal import Terminal, on_terminal

FLEET_KEY = "only-for-tests-0123456789abcdef-0123456789"  # of every fleet that a test starts
CHARTFLEET = str(Path(sys.executable).with_name("chartfleet"))


@dataclass(frozen=True)
class Ended:
    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """What it says on stderr, which must be one line."""
        (line,) = self.err.splitlines()
        return line

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Command:
    """Runs `chartfleet` in `cwd`, with `variables` and nothing else of AWS's or its own in the environment.

    Its services, if it needs any of its own, are there too: two fleets at one broker would take each other's tasks.
    """

    cwd: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: str, stdin: str = "", **variables: str) -> Ended:
        process = self.start(*arguments, **variables)
        try:
            out, err = process.communicate(stdin, timeout=150)
        except BaseException:
            process.kill()
            raise
        return Ended(process.returncode, out, err)

    def on_terminal(self, *arguments: str) -> AbstractContextManager[Terminal]:
        return on_terminal([CHARTFLEET, *arguments], cwd=self.cwd, env=self._environment({}))

    def _environment(self, variables: Mapping[str, str]) -> dict[str, str]:
        own = {"CHARTFLEET_DATA_DIR": str(self.cwd / "data")}
        return {**clean_environment(), **own, **self.variables, **variables}

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [CHARTFLEET, *arguments],
            cwd=self.cwd,
            env=self._environment(variables),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )


def clean_environment() -> dict[str, str]:
    """This process's, without what would reach AWS or Google, or set up Chartfleet."""
    theirs = ("AWS_", "GOOGLE_", "GSUITE_", "CHARTFLEET_")
    kept = {n: v for n, v in os.environ.items() if not n.startswith(theirs) and n != "COLUMNS"}
    nowhere = dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "CLOUDSDK_CONFIG"), os.devnull)
    own = {"AWS_EC2_METADATA_DISABLED": "true", "NO_GCE_CHECK": "true", "CHARTFLEET_FLEET_KEY": FLEET_KEY}
    return kept | nowhere | own


def left_behind(directory: Path) -> list[str]:
    """Processes that have to do with a data directory: by command line, working directory or environment."""
    mark, found = str(directory), []
    for process in psutil.process_iter():
        try:
            told = [*process.cmdline(), process.cwd(), *process.environ().values()]
            if process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE and mark in " ".join(told):
                found.append(f"{process.pid} {' '.join(process.cmdline())[:200]}")
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return found
