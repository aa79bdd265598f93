"""In a folder with somebody else's modules, every command works, and none of these modules is ever run."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.fleet.command import Command, clean_environment
from workers import embedded
from workers.embedded.process import free_port

# What Celery, Flower or Python would import or run from there, and names that Chartfleet's own packages have.
OTHERS = (
    "tasks",
    "loaders",
    "analysis",
    "redis",
    "celery",
    "kombu",
    "neo4j",
    "boto3",
    "logging",
    "flowerconfig",
    "celeryconfig",
)
MARKER = "was-run"
SECONDS = 60


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[embedded.Broker]:
    broker = embedded.start_broker(tmp_path_factory.mktemp("broker"))
    yield broker
    broker.stop()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with such modules. Each leaves a mark when it is run."""
    folder = tmp_path / "somebodys"
    folder.mkdir()
    for name in (*OTHERS, "workers"):
        mark = f"open({str(folder / MARKER)!r}, 'a').write('{name}\\n')\n"
        (folder / f"{name}.py").write_text(f"{mark}raise ImportError('not Chartfleet')\n")
    return folder


@pytest.fixture
def chartfleet(folder: Path, tmp_path: Path, broker: embedded.Broker) -> Command:
    return Command(folder, {"CHARTFLEET_DATA_DIR": str(tmp_path / "data"), "CHARTFLEET_BROKER_URL": broker.url})


def run(folder: Path) -> list[str]:
    """The modules of the folder that were run."""
    mark = folder / MARKER
    return mark.read_text().splitlines() if mark.exists() else []


def wait_for_line(process: subprocess.Popen[str], text: str) -> str:
    """Read what a process logs until a line has the text; then end it. Returns all that it logged."""
    assert process.stderr is not None
    lines, end = [], time.monotonic() + SECONDS
    try:
        for line in process.stderr:
            lines.append(line)
            if text in line or time.monotonic() > end:
                break
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=SECONDS)
    assert text in lines[-1], "".join(lines)
    return "".join(lines)


@pytest.mark.parametrize(
    "words",
    [["--help"], ["sync", "--help"], ["--version"], ["config"], ["runs"], ["schema", "S3Bucket"], ["iam-policy"]],
    ids=" ".join,
)
def test_a_command_works(chartfleet: Command, folder: Path, words: Sequence[str]) -> None:
    ended = chartfleet(*words)
    assert (ended.code, ended.err) == (0, "")
    assert run(folder) == []


def test_a_worker_starts(chartfleet: Command, folder: Path) -> None:
    process = chartfleet.start("worker", "--queues", "coordinator", "--concurrency", "1")
    wait_for_line(process, " ready.")
    assert run(folder) == []


def test_beat_starts_and_keeps_its_state_in_the_data_directory(
    chartfleet: Command, folder: Path, tmp_path: Path
) -> None:
    """Its state is a pickle: one that somebody else left in the folder would run code."""
    before = sorted(folder.iterdir())
    wait_for_line(chartfleet.start("beat", "--schedule", "0 3 * * *"), "the next run starts at")
    assert list((tmp_path / "data" / "beat").iterdir())
    assert sorted(folder.iterdir()) == before


def test_flower_starts_without_the_configuration_of_the_folder(chartfleet: Command, folder: Path) -> None:
    port = free_port()
    process = chartfleet.start("flower", "--", f"--port={port}")
    logged = wait_for_line(process, "Visit me at")
    assert "flowerconfig.py of the working directory isn't read" in logged
    assert run(folder) == []


def test_the_package_works_as_a_module(folder: Path) -> None:
    (folder / "workers.py").unlink()  # which Python itself would run in its place
    done = python(folder, "-m", "workers", "config")
    assert (done.returncode, done.stderr) == (0, "")
    assert "lease_seconds" in done.stdout
    assert run(folder) == []


def test_celery_finds_the_app(folder: Path, broker: embedded.Broker) -> None:
    (folder / "workers.py").unlink()  # which Celery itself would import in its place
    celery = Path(sys.executable).with_name("celery")
    done = subprocess.run(
        [celery, "-A", "workers.app", "report"],
        cwd=folder,
        env=clean_environment() | {"CHARTFLEET_BROKER_URL": broker.url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "software -> celery" in done.stdout
    assert run(folder) == []


def test_a_module_that_hides_a_package_is_named(folder: Path) -> None:
    hiding = folder.parent / "path"
    hiding.mkdir()
    (hiding / "tasks.py").write_text((folder / "tasks.py").read_text())
    (folder / "workers.py").unlink()
    done = python(folder, "-m", "workers", "config", PYTHONPATH=str(hiding))
    assert done.returncode == 1
    assert done.stderr.startswith(f"chartfleet: {hiding / 'tasks.py'} hides Chartfleet's package 'tasks': ")
    assert len(done.stderr.splitlines()) == 1
    assert run(folder) == []


def python(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=clean_environment() | variables,
        capture_output=True,
        text=True,
        check=False,
    )
