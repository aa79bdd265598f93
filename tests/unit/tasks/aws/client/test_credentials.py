"""Credentials of an access: from botocore's own chain, loaded once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ProfileNotFound

from tasks.aws.client import credentials

LOGIN = """#!/bin/sh
echo ran >> {runs}
sleep 0.1
echo '{{"Version": 1, "AccessKeyId": "AKIDEXAMPLE", "SecretAccessKey": "x", "Expiration": "2099-01-01T00:00:00Z"}}'
"""


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A machine whose credentials come from a program. Returns the file in which it notes each run."""
    runs, login = tmp_path / "runs", tmp_path / "login"
    runs.touch()
    login.write_text(LOGIN.format(runs=runs))
    login.chmod(0o700)
    config = tmp_path / "config"
    config.write_text(f"[default]\nregion = eu-west-1\ncredential_process = {login}\n[profile spare]\n")
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    credentials.forget_all()
    yield runs
    credentials.forget_all()


def test_calls_that_begin_together_load_them_once(machine: Path) -> None:
    async def together() -> set[str]:
        found = await asyncio.gather(*(credentials.of({}) for _ in range(10)))
        return {(await one.get_frozen_credentials()).access_key for one in found}

    assert asyncio.run(together()) == {"AKIDEXAMPLE"}
    assert machine.read_text().splitlines() == ["ran"]


def test_what_was_forgotten_is_loaded_again(machine: Path) -> None:
    async def twice() -> None:
        await credentials.of({})
        credentials.forget({"partition": "aws"})
        await credentials.of({})

    asyncio.run(twice())
    assert machine.read_text().splitlines() == ["ran", "ran"]


def test_a_profile_has_its_own() -> None:
    assert asyncio.run(credentials.of({"profile": "spare"})) is None


def test_a_profile_that_is_not_there() -> None:
    with pytest.raises(ProfileNotFound):
        asyncio.run(credentials.of({"profile": "absent"}))
