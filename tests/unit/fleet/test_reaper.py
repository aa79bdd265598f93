"""A test session that is killed leaves no Neo4j, no Redis, no worker and no simulated cloud behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.fleet.reaper import of_session
from tests.fleet.running import wait_for

ROOT = Path(__file__).parents[3]
SECONDS = 60
# What a session has running in the middle of a test. It waits for none of it: a service that starts is one to be ended.
TEST = """
import time

from tests.servers.aws import AwsServer
from workers import embedded
from workers.embedded import graph
from workers.fleet.local import LocalFleet
from workers.settings.settings import Settings


def test_it(tmp_path):
    neo4j = graph.launch(tmp_path / "graph", 0, 0, tmp_path / "graph.log", print)
    broker = embedded.start_broker(tmp_path / "broker")
    aws = AwsServer()
    aws.start()
    fleet = LocalFleet(Settings.load({}, {}).with_values({"broker_url": broker.url}, "test"), tmp_path / "logs")
    fleet.start()
    pids = [neo4j.pid, broker.pid, aws.pid, *(worker.process.pid for worker in fleet.workers)]
    (tmp_path.parent / "pids.new").write_text(" ".join(map(str, pids)))
    (tmp_path.parent / "pids.new").rename(tmp_path.parent / "pids")
    time.sleep(600)
"""


@pytest.mark.parametrize(
    ("how", "xdist"),
    [
        pytest.param(signal.SIGKILL, (), id="SIGKILL", marks=pytest.mark.long),
        pytest.param(signal.SIGKILL, ("-n", "1"), id="SIGKILL, with xdist"),
        pytest.param(signal.SIGTERM, (), id="SIGTERM"),
        pytest.param(signal.SIGINT, ("-n", "1"), id="Ctrl-C, with xdist", marks=pytest.mark.long),
    ],
)
def test_nothing_is_left_of_a_session_that_is_ended_by(
    how: signal.Signals, xdist: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "test_inner.py").write_text(TEST)
    base = tmp_path / "base"
    options = ("-p", "tests.fleet.reaper", "-p", "no:cacheprovider", "--rootdir", str(tmp_path))
    inner = str(tmp_path / "test_inner.py")
    command = [sys.executable, "-m", "pytest", *options, "--basetemp", str(base), *xdist, inner]
    session = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        stdout=(tmp_path / "log").open("wb"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    (told,) = wait_for(lambda: list(base.glob("**/pids")), seconds=SECONDS, message=(tmp_path / "log").read_text)
    started = {int(pid) for pid in told.read_text().split()}
    assert started <= set(of_session(f"{base}/"))

    session.send_signal(how)
    session.wait(SECONDS)

    wait_for(lambda: not [*of_session(f"{base}/"), *filter(lives, started)], seconds=SECONDS)


def lives(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
