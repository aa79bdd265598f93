"""A settings file is only read if no other user could have changed it; that of another program is named."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from workers.settings.settings import SettingError, Settings

STRANGER = 12345
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="gives files to other users")
ANOTHER = "it was found in the working directory: --config FILE chooses another, --config /dev/null none"


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A working directory that no other user can write."""
    own = tmp_path / "own"
    own.mkdir(mode=0o755)
    monkeypatch.chdir(own)
    yield own
    own.chmod(0o755)


def write(name: str = "chartfleet.toml", text: str = "concurrency = 2", mode: int = 0o644) -> Path:
    path = Path(name).absolute()
    path.write_text(text)
    path.chmod(mode)
    return path


def load(config: str | None = None) -> Settings:
    return Settings.load({"config": config}, {})


def problem(config: str | None = None) -> str:
    with pytest.raises(SettingError) as raised:
        load(config)
    assert "\n" not in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize("mode", [0o644, 0o600, 0o444])
def test_a_file_of_ones_own_is_read(mode: int) -> None:
    write(mode=mode)
    assert load().concurrency == 2


@pytest.mark.parametrize("mode", [0o666, 0o664, 0o646])
def test_a_file_that_others_may_write_is_refused(mode: int) -> None:
    path = write("mine.toml", mode=mode)
    assert problem("mine.toml") == (
        f"--config: 'mine.toml': others may write it (mode {mode:04o}): run `chmod go-w {path}`"
    )
    path.chmod(mode & ~0o022)
    assert load("mine.toml").concurrency == 2


def test_a_file_found_here_that_others_may_write_is_refused() -> None:
    path = write(mode=0o666)
    assert problem() == f"{path}: others may write it (mode 0666): run `chmod go-w {path}`; {ANOTHER}"


def test_a_directory_that_others_may_write_counts_unless_it_is_sticky(directory: Path) -> None:
    write()
    directory.chmod(0o777)
    assert f"others may write its directory (mode 0777): run `chmod go-w {directory}`" in problem()
    directory.chmod(0o1777)
    assert load().concurrency == 2


@needs_root
def test_a_file_of_somebody_else_is_refused() -> None:
    path = write()
    os.chown(path, STRANGER, STRANGER)
    assert problem() == f"{path}: belongs to the user id {STRANGER}: make it your own (chown); {ANOTHER}"


@needs_root
def test_a_directory_of_somebody_else_is_refused(directory: Path) -> None:
    write()
    os.chown(directory, STRANGER, STRANGER)
    assert f"its directory {directory} belongs to the user id {STRANGER}" in problem()


@needs_root
def test_a_group_that_others_are_in_may_not_write_the_directory(directory: Path) -> None:
    write()
    os.chown(directory, os.geteuid(), STRANGER)
    directory.chmod(0o775)
    assert "others may write its directory (mode 0775)" in problem()


@needs_root
def test_a_symbolic_link_of_somebody_else_is_refused(tmp_path: Path) -> None:
    write("real.toml")
    Path("chartfleet.toml").symlink_to("real.toml")
    assert load().concurrency == 2
    os.chown("chartfleet.toml", STRANGER, STRANGER, follow_symlinks=False)
    assert f"is a symbolic link of the user id {STRANGER}" in problem()


def test_the_target_of_a_link_counts(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    target = other / "real.toml"
    target.write_text("concurrency = 2")
    target.chmod(0o666)
    Path("chartfleet.toml").symlink_to(target)
    assert "others may write it" in problem()
    target.chmod(0o644)
    other.chmod(0o777)
    assert "others may write its directory" in problem()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("fleet: charts\n", "is not TOML: "),
        ("[boats]\ncount = 3\n", "boats: no setting has this name; `chartfleet config` lists the settings"),
        ("lease_secnds = 3\n", "lease_secnds: no setting has this name; did you mean lease_seconds?"),
    ],
)
def test_a_file_of_another_program_is_named_with_the_way_out(text: str, reason: str) -> None:
    path = write(text=text)
    message = problem()
    assert message.startswith(f"{path}: ")
    assert reason in message
    assert message.endswith(ANOTHER)
    write("mine.toml", "concurrency = 3")
    assert load("mine.toml").concurrency == 3
    assert load("/dev/null").concurrency == 0


def test_no_file_is_no_file_for_the_workers_either() -> None:
    assert load("/dev/null").as_environment()["CHARTFLEET_CONFIG"] == "/dev/null"
    assert load().as_environment()["CHARTFLEET_CONFIG"] == ""


def test_a_named_file_that_is_not_there() -> None:
    assert problem("none.toml") == "--config: 'none.toml': is not a file"
