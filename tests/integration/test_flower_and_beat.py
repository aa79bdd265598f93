"""Celery's own programs over a real fleet: Flower shows it, beat starts a run by the schedule of the settings."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from loaders.graph import Graph
from loaders.ledger import Ledger, RunState, runs
from tasks.engine import registry
from tests.fleet.command import Command
from tests.fleet.running import COORDINATOR, FETCH, LOADER, Fleet, running_fleet, wait_for
from tests.servers.aws import AwsServer, Effect, Fault
from workers import embedded
from workers.embedded.process import free_port
from workers.fleet.queues import every_queue

SETTINGS = {"aws_regions": ("us-east-1",), "aws_requested_syncs": ("ec2.vpcs", "ec2.subnets")}


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsServer]:
    with AwsServer() as server:
        yield server


@pytest.fixture(scope="module")
def running(services: embedded.Services, aws: AwsServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    broker = embedded.start_broker(tmp_path_factory.mktemp("broker"))
    try:
        with running_fleet(services.graph, broker.url, tmp_path_factory.mktemp("fleet"), aws.url, **SETTINGS) as fleet:
            yield fleet
    finally:
        broker.stop()


@pytest.fixture
def fleet(running: Fleet, graph: Graph, aws: AwsServer) -> Iterator[Fleet]:
    running.at_rest()
    yield running
    aws.reset()
    running.at_rest()


@contextmanager
def celery(fleet: Fleet, directory: Path, *arguments: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """`chartfleet beat` or `chartfleet flower`, until the end of the block."""
    command = Command(directory, {"CHARTFLEET_BROKER_URL": str(fleet.settings.broker)})
    process = command.start(*arguments, **variables)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def wait_for_page(port: int, path: str) -> str:
    """A page of Flower, once it responds."""

    def ask() -> str | None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/{path}", timeout=30) as response:
                return str(response.read().decode())
        except OSError:
            return None

    return wait_for(ask)


def test_flower_shows_each_scope_with_its_tenant_region_and_outcome(
    fleet: Fleet, aws: AwsServer, tmp_path: Path
) -> None:
    port = free_port()
    aws.add(Fault(Effect.DENY, service="ec2", action="DescribeSubnets"))

    def ask(resource: str) -> Any:
        return json.loads(wait_for_page(port, f"api/{resource}"))

    with celery(fleet, tmp_path, "flower", "--", f"--port={port}", FLOWER_UNAUTHENTICATED_API="true"):
        wait_for(lambda: len(ask("workers?refresh=1")) == len(fleet.workers.workers))
        run = fleet.start()
        fleet.finish(run)
        where = f"123456789012/us-east-1 (run {run.run})"
        expected = {
            ("aws.ec2.vpcs", where, "SUCCESS", "'complete: 2 rows'"),
            ("aws.ec2.subnets", where, "SUCCESS", "'denied: UnauthorizedOperation ec2:DescribeSubnets'"),
        }
        wait_for(
            lambda: (
                expected
                <= {
                    (task["name"], task["args"], task["state"], task["result"])
                    for task in ask("tasks").values()
                    if task["runtime"]
                }
            )
        )
        workers = ask("workers")
        columns = re.findall(r'data-column="(\w+)"', wait_for_page(port, "tasks"))
    assert {name.partition("@")[0] for name in workers} == {worker.name for worker in fleet.workers.workers}
    queues = {
        name.partition("@")[0]: {queue["name"] for queue in worker["active_queues"]} for name, worker in workers.items()
    }
    assert queues == {
        COORDINATOR: {"coordinator"},
        LOADER: {"loader"},
        f"{FETCH}-1": {f"fetch.{name}" for name in registry.providers()},
        f"{FETCH}-2": {f"fetch.{name}" for name in registry.providers()},
    }
    assert columns == ["name", "args", "state", "result", "runtime", "worker"]


def test_flower_shows_every_queue_before_any_worker_runs(tmp_path: Path) -> None:
    port = free_port()
    broker = embedded.start_broker(tmp_path / "broker")
    command = Command(tmp_path, {"CHARTFLEET_BROKER_URL": broker.url})
    process = command.start("flower", "--", f"--port={port}")
    try:
        page = wait_for_page(port, "broker")
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
        broker.stop()
    assert set(re.findall(r'<tr id="([^"]+)"', page)) == set(every_queue())


def test_beat_starts_a_run_and_no_other_while_that_goes_on(fleet: Fleet, aws: AwsServer, tmp_path: Path) -> None:
    paused = Fault(Effect.PAUSE, service="ec2", action="DescribeVpcs")
    aws.add(paused)
    (tmp_path / "chartfleet.toml").write_text('schedule = "1"')
    with celery(fleet, tmp_path, "beat") as beat:
        aws.wait_for(paused, timeout_seconds=90)
        wait_for(lambda: fleet.ended(COORDINATOR, "chartfleet.sync") >= 3)  # it went on ticking
        (run,) = runs(fleet.redis)
        beat.send_signal(signal.SIGTERM)
        _, log = beat.communicate(timeout=30)
    assert log.count("asked a coordinator for a run") >= 3
    assert re.search(r"the next run starts at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", log)
    aws.reset()
    info: Any = wait_for(
        lambda: (i := Ledger(fleet.redis, run).info()) and i.state is not RunState.RUNNING and i.finished_ms and i
    )
    assert info.state is RunState.COMPLETE
    assert runs(fleet.redis) == [run]
    assert fleet.graph.rows("MATCH (r:SyncRun) RETURN r.id AS id, r.state AS state") == [
        {"id": run, "state": "complete"}
    ]
