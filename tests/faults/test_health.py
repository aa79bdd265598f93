"""The health check of a worker that is idle, busy, waiting, or stuck."""

from __future__ import annotations

import signal
import socket
import time

import pytest
import redis

from tests.fleet.running import QUICK, Fleet, unit_of, wait_for, wait_until_one_is_left
from tests.servers.aws import AwsServer, Effect, Fault
from workers.embedded.broker import Broker
from workers.fleet import health, inspect

SUBNETS, HERE = "aws.ec2.subnets", "us-east-1"
PAUSED = Fault(Effect.PAUSE, service="ec2", action="DescribeSubnets", region=HERE)
LONGER_THAN_A_LEASE = QUICK["lease_seconds"] + 2


def test_workers_with_nothing_to_do_are_healthy(fleet: Fleet) -> None:
    host = socket.gethostname()
    for name, processes in {"coordinator": 2, "fetch-1": 2, "fetch-2": 2, "loader": 1}.items():
        assert fleet.health(name) == health.Health(True, f"{name}@{host}: 0 of {processes} at work")


def test_a_worker_whose_call_takes_long_is_healthy(fleet: Fleet, aws: AwsServer) -> None:
    fetcher = fetching(fleet, aws)
    time.sleep(LONGER_THAN_A_LEASE)
    state = fleet.health(fetcher)
    assert state.healthy, state.text
    assert "1 of 2 at work" in state.text


@pytest.mark.parametrize("name", ["coordinator", "fetch-1", "loader"])
def test_a_stuck_worker_doesnt_respond(fleet: Fleet, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspect, "RESPONSE_SECONDS", 1)
    with fleet.frozen(name):
        state = fleet.health(name)
    assert not state.healthy
    assert state.text == f"{name}@{socket.gethostname()} isn't responding"
    wait_for(lambda: fleet.health(name).healthy)


def test_a_worker_whose_broker_is_away_needs_no_restart(fleet: Fleet, fleet_broker: Broker) -> None:
    client = redis.Redis.from_url(fleet_broker.url, socket_timeout=1)
    fleet_broker.process.send(signal.SIGSTOP)
    try:
        state = health.worker(fleet.app, client, fleet.settings, "fetch-1")
    finally:
        fleet_broker.process.send(signal.SIGCONT)
    assert state.healthy
    assert "the broker isn't responding" in state.text


def fetching(fleet: Fleet, aws: AwsServer) -> str:
    """The worker that waits for a response of the API; everything else is done."""
    aws.add(PAUSED)
    ledger = fleet.start()
    wait_until_one_is_left(ledger)
    return fleet.worker_of(unit_of(ledger, SUBNETS, HERE)).name
