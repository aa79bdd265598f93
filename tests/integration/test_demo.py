"""`make demo`, as its recipe runs it: what it shows, what it leaves up, what it ends with."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.fleet.command import clean_environment, left_behind
from tests.fleet.running import wait_for
from workers import embedded

ROOT = Path(__file__).parents[2]


def start(directory: Path, *arguments: str) -> subprocess.Popen[str]:
    # A profile that isn't there, and a graph that isn't the demo's: it must look at neither.
    stranger = {"AWS_PROFILE": "no-such-profile", "CHARTFLEET_NEO4J_URI": "bolt://127.0.0.1:1"}
    return subprocess.Popen(
        [sys.executable, "-m", "demo", "--data-dir", str(directory), *arguments],
        cwd=ROOT,
        env=clean_environment() | stranger,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def said_by(process: subprocess.Popen[str]) -> str:
    said, _ = process.communicate(timeout=280)
    return said


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "demo"


@pytest.mark.long
def test_the_demo_ends_as_expected_and_leaves_nothing(directory: Path) -> None:
    process = start(directory)
    said = said_by(process)
    assert process.returncode == 0, said
    assert re.search(r"complete, but 13 of \d+ scopes not seen", said)
    assert "eu-south-1 of 123456789012  denied: 12 types of aws.ec2: elastic_ips, images, instances" in said
    assert "19 exposed instances" in said
    assert "8 public buckets" in said
    assert "fetch and load" in said
    assert "Look at the graph: http://127.0.0.1:" in said
    assert "As expected:" in said
    assert left_behind(directory) == []


@pytest.mark.long
def test_what_is_kept_stays_up_until_it_is_stopped(directory: Path) -> None:
    try:
        process = start(directory, "--keep")
        said = said_by(process)
        assert process.returncode == 0, said
        assert "make demo-stop" in said
        status = embedded.status(directory)
        assert status.broker.running
        assert status.browser_url
        with urllib.request.urlopen(status.browser_url, timeout=30) as page:
            assert b"Neo4j" in page.read()
    finally:
        stop = start(directory, "--stop")
        said_by(stop)
    assert stop.returncode == 0
    assert left_behind(directory) == []


@pytest.mark.long
def test_an_interrupted_demo_leaves_nothing(directory: Path) -> None:
    process = start(directory, "--keep")
    wait_for(lambda: (directory / "logs" / "loader.log").exists(), seconds=120)  # the sync has begun
    process.send_signal(signal.SIGINT)
    said = said_by(process)
    assert process.returncode == 130, said
    assert "interrupted; everything it started has been stopped" in said
    assert left_behind(directory) == []


def test_a_directory_of_something_else_is_left_alone(directory: Path) -> None:
    directory.mkdir()
    (directory / "precious").write_text("data")
    process = start(directory)
    assert "contains data that is not a demo's" in said_by(process)
    assert process.returncode == 1
    assert (directory / "precious").read_text() == "data"
