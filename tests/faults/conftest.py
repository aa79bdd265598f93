"""A simulated AWS with the demo's estate, a fleet, and what an undisturbed run makes of them: for all these tests.

The fleet has a broker of its own, and ends with the last of them: its sweepers would take up the runs of other tests.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from demo import estate, inventory
from tests.fleet.graph_state import State, graph_state
from tests.fleet.running import Fleet, running_fleet
from tests.fleet.short_lived_graph import empty
from tests.servers.aws import AwsServer
from workers.embedded import Services
from workers.embedded.broker import Broker, start_broker

# What is lost or done twice doesn't depend on the type: there is one type of each kind here, to keep runs short.
TYPES = (
    "account",
    "ec2.instances",
    "ec2.security_groups",
    "ec2.subnets",
    "ec2.vpcs",
    "elb.load_balancers",
    "elbv2.load_balancers",
    "iam.policies",
    "iam.roles",
    "iam.users",
    "rds.instances",
    "rds.subnet_groups",
    "s3.acls",
    "s3.buckets",
)
SETTINGS = {"aws_regions": inventory.REGIONS, "aws_requested_syncs": TYPES}


@pytest.fixture(scope="package")
def filled_aws() -> Iterator[AwsServer]:
    with AwsServer() as server:
        estate.fill(server.url)
        yield server


@pytest.fixture
def aws(filled_aws: AwsServer) -> Iterator[AwsServer]:
    """The demo's estate in a simulated AWS, without faults."""
    filled_aws.reset()
    yield filled_aws
    filled_aws.reset()


@pytest.fixture(scope="package")
def fleet_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    broker = start_broker(tmp_path_factory.mktemp("fleet-broker"))
    yield broker
    broker.stop()


@pytest.fixture(scope="package")
def shared_fleet(
    services: Services, fleet_broker: Broker, filled_aws: AwsServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fleet]:
    logs = tmp_path_factory.mktemp("fleet")
    with running_fleet(services.graph, fleet_broker.url, logs, filled_aws.url, **SETTINGS) as fleet:
        yield fleet


@pytest.fixture(scope="package")
def undisturbed(shared_fleet: Fleet) -> State:
    """The graph after a run that nothing happened to."""
    empty(shared_fleet.graph)
    done = shared_fleet.sync()
    if done.failed_jobs:  # Neo4j planned all their queries at once, on a busy machine for longer than a transaction
        empty(shared_fleet.graph)
        done = shared_fleet.sync()
    assert (done.exit_code, done.not_seen, done.gaps, done.failed_jobs) == (0, [], [], [])
    return graph_state(shared_fleet.graph)


@pytest.fixture
def fleet(shared_fleet: Fleet, undisturbed: State, aws: AwsServer) -> Iterator[Fleet]:
    """A coordinator, two fetch workers and a loader, with nothing to do and an empty graph."""
    yield from at_rest(shared_fleet, aws)


def at_rest(fleet: Fleet, aws: AwsServer) -> Iterator[Fleet]:
    empty(fleet.graph)
    fleet.forget_logs()
    yield fleet
    aws.reset()  # what is paused goes on
    fleet.at_rest()
