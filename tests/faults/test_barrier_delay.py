"""No timer delays the barrier after the last commit: in these tests the sweeper waits for half a minute."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from loaders.ledger import RunInfo
from tests.faults.conftest import SETTINGS, at_rest
from tests.fleet.running import Fleet, info_of, running_fleet, wait_until_one_is_left
from tests.servers.aws import AwsServer, Effect, Fault
from workers.embedded import Services
from workers.embedded.broker import start_broker

SLOW: dict[str, Any] = {"sweep_seconds": 30.0, "redelivery_grace_seconds": 30.0, "lease_seconds": 120.0}
TRIES = 3  # on a busy machine


@pytest.fixture(scope="module")
def slow_fleet(services: Services, filled_aws: AwsServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    directory = tmp_path_factory.mktemp("slow")
    broker = start_broker(directory / "broker")
    with running_fleet(services.graph, broker.url, directory, filled_aws.url, **SETTINGS | SLOW) as fleet:
        yield fleet
    broker.stop()


@pytest.fixture
def fleet(slow_fleet: Fleet, aws: AwsServer) -> Iterator[Fleet]:
    yield from at_rest(slow_fleet, aws)


def test_the_barrier_opens_within_a_second_of_the_last_commit(fleet: Fleet) -> None:
    def run() -> RunInfo:
        ledger = fleet.start()
        fleet.finish(ledger)
        return info_of(ledger)

    # Whichever is later: an empty scope may be read after the last batch was committed.
    assert least(run, lambda info: info.barrier_ms - max(info.committed_ms, info.settled_ms)) < 1000


@pytest.mark.parametrize(
    ("service", "region"), [("elb", "eu-south-1"), ("ec2", "us-east-1")], ids=["nothing in it", "something in it"]
)
def test_the_barrier_opens_within_a_second_of_the_last_scope(
    fleet: Fleet, aws: AwsServer, service: str, region: str
) -> None:
    """Even if that scope is empty, and nothing is left to commit or to clean."""
    action = {"elb": "DescribeLoadBalancers", "ec2": "DescribeSubnets"}[service]

    def run() -> RunInfo:
        last = Fault(Effect.PAUSE, service=service, action=action, region=region)
        aws.add(last)
        ledger = fleet.start()
        wait_until_one_is_left(ledger)
        aws.remove(last)
        fleet.finish(ledger)
        return info_of(ledger)

    assert least(run, lambda info: info.barrier_ms - info.settled_ms) < 1000


def least(run: Callable[[], RunInfo], milliseconds: Callable[[RunInfo], int]) -> int:
    """The first delay below a second, or else the last one measured."""
    delays = [milliseconds(run())]
    while delays[-1] >= 1000 and len(delays) < TRIES:
        delays.append(milliseconds(run()))
    return delays[-1]
