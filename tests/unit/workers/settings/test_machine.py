"""How many scopes a process has in flight follows from its cores and its memory."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from workers.settings import machine


@pytest.mark.parametrize(
    ("cores", "limit", "scopes"),
    [
        (2, "max", 32),
        (1, "max", 16),
        (8, "1000000000", 31),  # a container of a gigabyte
        (8, "512000000", 16),
        (8, "64000000", 4),
    ],
)
def test_scopes_in_flight(cores: int, limit: str, scopes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "memory.max").write_text(f"{limit}\n")
    monkeypatch.setattr(machine, "_CGROUP_LIMIT", tmp_path / "memory.max")
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert machine.scopes_in_flight() == scopes


def test_without_a_container_it_is_the_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_CGROUP_LIMIT", tmp_path / "none")
    assert machine.memory_mb() > 500
