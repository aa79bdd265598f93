"""A local fleet makes its own key, and keeps it: a later command can resume its runs."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from workers.commands.local_key import use_local_key
from workers.settings.fleet_key import VARIABLE, fleet_key
from workers.settings.settings import Settings


def key_of(directory: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.delenv(VARIABLE, raising=False)
    use_local_key(Settings.load({"data_dir": str(directory)}, {}))
    fleet_key()
    return os.environ[VARIABLE]


def test_it_is_random_and_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = key_of(tmp_path / "a", monkeypatch)
    assert key_of(tmp_path / "a", monkeypatch) == first != key_of(tmp_path / "b", monkeypatch)
    assert stat.S_IMODE((tmp_path / "a" / "fleet-key").stat().st_mode) == 0o600


def test_one_that_is_given_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = "0123456789abcdef0123456789abcdef"
    monkeypatch.setenv(VARIABLE, given)
    use_local_key(Settings.load({"data_dir": str(tmp_path)}, {}))
    assert os.environ[VARIABLE] == given
    assert not (tmp_path / "fleet-key").exists()
