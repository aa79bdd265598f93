"""What a command needs, with all processes that it starts."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks.peer import usage
from benchmarks.peer.tools import role_in_fleet
from workers.fleet.programs import worker_command

MB = 1_000_000
CHILD = "x = bytearray(60_000_000); import time; end = time.process_time() + 0.5\nwhile time.process_time() < end: pass"
PARENT = f"import subprocess, sys; sys.exit(subprocess.run([sys.executable, '-c', {CHILD!r}, 'child']).returncode + 3)"


def role(command_line: Sequence[str]) -> str:
    return "child" if command_line[-1:] == ["child"] else "parent"


def measured(tmp_path: Path, beside: dict[str, int]) -> usage.Usage:
    return usage.measure([sys.executable, "-c", PARENT], {}, tmp_path / "output", role, beside)


def test_memory_and_cpu_time_of_a_child_are_its_roles_and_part_of_the_total(tmp_path: Path) -> None:
    found = measured(tmp_path, {})
    child, parent = found.roles["child"], found.roles["parent"]
    assert found.exit_code == 3
    assert child.peak_bytes > 60 * MB > parent.peak_bytes
    assert found.peak_bytes > max(child.peak_bytes, parent.peak_bytes)
    assert 0.2 < child.cpu_seconds <= found.cpu_seconds
    assert found.cpu_seconds >= 0.5
    assert found.wall_seconds >= 0.5


def test_a_service_beside_it_counts_only_for_itself_and_from_when_the_command_began(tmp_path: Path) -> None:
    sleeps = f"{CHILD}\nprint('idle', flush=True)\ntime.sleep(600)"
    service = subprocess.Popen([sys.executable, "-c", sleeps], stdout=subprocess.PIPE)
    try:
        assert service.stdout
        assert service.stdout.readline()
        found = measured(tmp_path, {"service": service.pid})
    finally:
        service.kill()
        service.communicate()
    assert found.beside["service"].peak_bytes > 60 * MB
    assert found.beside["service"].cpu_seconds < 0.3
    assert set(found.roles) == {"parent", "child"}


@pytest.mark.parametrize(
    ("name", "expected"), [("fetch-2", "fetch"), ("loader", "loader"), ("coordinator", "coordinator")]
)
def test_the_processes_of_a_local_fleet_are_known_by_their_names(name: str, expected: str) -> None:
    assert role_in_fleet(worker_command(["fetch"], 2, name)) == expected
    assert role_in_fleet([sys.executable, "chartfleet", "sync"]) == "command"
