"""Two runs, two fleets, two brokers, one graph: one at a time."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from loaders.ledger import Ledger, RunState
from loaders.writer import RunRefused
from tests.faults.conftest import SETTINGS, at_rest
from tests.fleet.graph_state import State, difference, graph_state
from tests.fleet.locks import locked, wait_until_blocked
from tests.fleet.running import Fleet, info_of, running_fleet, wait_for, wait_until_one_is_left
from tests.servers.aws import AwsServer, Effect, Fault
from workers.embedded import Services
from workers.embedded.broker import start_broker

LAST = Fault(Effect.PAUSE, action="DescribeSubnets", region="eu-west-1", times=1)


@pytest.fixture(scope="module")
def idle_fleet(services: Services, filled_aws: AwsServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    directory = tmp_path_factory.mktemp("other")
    broker = start_broker(directory / "broker")
    with running_fleet(services.graph, broker.url, directory, filled_aws.url, **SETTINGS) as fleet:
        yield fleet
    broker.stop()


@pytest.fixture
def other_fleet(idle_fleet: Fleet, aws: AwsServer) -> Iterator[Fleet]:
    """A fleet over another broker that writes to the same graph."""
    yield from at_rest(idle_fleet, aws)


@pytest.fixture
def under_way(fleet: Fleet, aws: AwsServer) -> Iterator[Ledger]:
    """A run that waits for its last scope, for as long as the test lasts."""
    aws.add(LAST)
    ledger = fleet.start()
    wait_until_one_is_left(ledger)
    yield ledger
    aws.remove(LAST)
    assert fleet.finish(ledger).exit_code == 0


def test_a_second_run_is_refused_and_names_the_run_that_holds_the_graph(fleet: Fleet, under_way: Ledger) -> None:
    with pytest.raises(RunRefused, match=f"run {under_way.run} holds the graph"):
        fleet.start()


def test_so_is_one_through_another_broker(other_fleet: Fleet, under_way: Ledger) -> None:
    with pytest.raises(RunRefused, match=f"run {under_way.run} holds the graph"):
        other_fleet.start()


def test_a_second_command_exits_with_1(fleet: Fleet, under_way: Ledger) -> None:
    command = [str(Path(sys.executable).with_name("chartfleet")), "sync"]
    environment = {**os.environ, **fleet.settings.as_environment()}
    second = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert second.returncode == 1
    assert f"run {under_way.run} holds the graph" in second.stderr
    assert second.stdout == ""


def test_a_loader_whose_graph_was_taken_by_a_later_run_of_another_broker_cannot_write(
    fleet: Fleet, other_fleet: Fleet, aws: AwsServer, undisturbed: State
) -> None:
    """All its fleet was stopped in the middle of a batch until its claim on the graph expired."""
    with locked(fleet.graph):
        earlier = fleet.start()
        wait_until_blocked(fleet.graph)
        fleet.freeze()
    later = other_fleet.start(run_lease_seconds=2.0)  # for so long no heartbeat comes
    report = other_fleet.finish(later)
    fleet.thaw()
    wait_for(lambda: info_of(earlier).state is RunState.CANCELLED)
    assert "a later run has taken the graph" in info_of(earlier).reason
    assert report.exit_code == 0
    assert difference(graph_state(fleet.graph), undisturbed) == []
    assert fleet.graph.rows("MATCH (r:SyncRun) RETURN r.id AS id") == [{"id": later.run}]
