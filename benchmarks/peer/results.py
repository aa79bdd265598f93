"""The sessions that were measured, as JSON. The page follows from them: no figure is written by hand."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Self

import psutil

from benchmarks.peer.session import Session
from benchmarks.peer.tools import peer_version
from workers.embedded import jars

RESULTS: Final = Path(__file__).parents[1] / "results.json"
_WRITTEN: Final = ("RESULTS.md", "results.json")
_ROOT: Final = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Machine:
    """What a session ran on, and the versions of what ran."""

    cores: int
    memory_mb: int
    system: str
    python: str
    neo4j: str
    chartfleet: str  # the version and the commit
    peer: str

    @classmethod
    def this(cls) -> Self:
        return cls(
            cores=os.cpu_count() or 1,
            memory_mb=psutil.virtual_memory().total // 1_000_000,
            system=f"{platform.system()} {platform.machine()}",
            python=platform.python_version(),
            neo4j=jars.VERSION,
            chartfleet=f"{version('chartfleet')} ({_commit()})",
            peer=peer_version(),
        )


@dataclass(frozen=True, slots=True)
class Result:
    machine: Machine
    session: Session

    def as_json(self) -> dict[str, Any]:
        return {"machine": asdict(self.machine), "session": self.session.as_json()}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        return cls(Machine(**stored["machine"]), Session.from_json(stored["session"]))


def load(file: Path = RESULTS) -> list[Result]:
    return [Result.from_json(stored) for stored in json.loads(file.read_text())] if file.exists() else []


def add(session: Session, file: Path = RESULTS) -> list[Result]:
    """With this session in place of an earlier one of the same estate and latency. Returns all there are now."""
    kept = [one for one in load(file) if _cell(one.session) != _cell(session)]
    results = sorted([*kept, Result(Machine.this(), session)], key=lambda one: _cell(one.session))
    file.write_text(json.dumps([one.as_json() for one in results], indent=1) + "\n")
    return results


def machines(results: Sequence[Result]) -> list[Machine]:
    return list(dict.fromkeys(one.machine for one in results))


def _cell(session: Session) -> tuple[int, str, int]:
    return len(session.size), session.size, session.latency_ms


def _commit() -> str:
    """`-dirty`: of a tree with changes that aren't committed, other than the results themselves."""
    try:
        commit = _git("rev-parse", "--short", "HEAD")
        changed = _git("status", "--porcelain", "--", ".", *(f":!benchmarks/{name}" for name in _WRITTEN))
    except (subprocess.CalledProcessError, FileNotFoundError):
        return "unknown"
    return f"{commit}-dirty" if changed else commit


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(_ROOT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
