"""A scope that kills every process that fetches it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from demo import inventory
from loaders.ledger import Ledger, Unit
from loaders.ledger import State as Scope
from tests.faults.conftest import SETTINGS, TYPES
from tests.fleet.graph_state import State, difference, graph_state
from tests.fleet.running import Fleet, info_of, running_fleet, unit_of, wait_for, wait_until_one_is_left
from tests.fleet.short_lived_graph import empty
from tests.servers.aws import AwsServer, Effect, Fault
from workers.embedded import Services
from workers.embedded.broker import start_broker

DATABASES, HERE = "aws.rds.instances", "eu-west-1"


def test_a_scope_that_always_kills_its_worker_is_quarantined_and_holds_nobody_up(
    fleet: Fleet, aws: AwsServer, undisturbed: State
) -> None:
    last_time = Fault(Effect.PAUSE, action="DescribeDBInstances", region=HERE, after=3)
    deadly = Fault(Effect.KILL_CLIENT, action="DescribeDBInstances", region=HERE)
    aws.add(last_time, deadly)
    ledger = fleet.start()
    wait_until_one_is_left(ledger)  # everything else is fetched, loaded and cleaned meanwhile
    aws.wait_for(last_time)
    assert unit_of(ledger, DATABASES, HERE).state is Scope.FETCHING
    aws.remove(last_time)
    report = fleet.finish(ledger)
    assert aws.hits(deadly) == 4  # once in company, three times alone
    assert unit_of(ledger, DATABASES, HERE).crashes == 3
    [line] = report.not_seen
    assert (line["type"], line["region"], line["status"]) == (DATABASES, HERE, "quarantined")
    assert line["reason"].startswith("3 attempts ended the process that they had to themselves (it crashed")
    assert report.exit_code == 3
    assert report.scopes == {"complete": info_of(ledger).planned - 1, "quarantined": 1}
    lacking = difference(graph_state(fleet.graph), undisturbed)
    assert lacking
    assert all(HERE in line and ("RDS" in line or "DBSubnetGroup" in line) for line in lacking), lacking


# -- among others in one process

ROUNDS = 10
IN_FLIGHT = 32
SERVICES = ("ec2", "elb", "elbv2", "iam", "rds", "s3")
REGIONS = inventory.REGIONS[:3]
# Of all but the account a call is paused: those are exactly as many scopes as the process has in flight.
MORE_TYPES = ("iam.access_keys", "iam.groups", "iam.instance_profiles")


@pytest.fixture
def one_process(services: Services, filled_aws: AwsServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A fleet of one process that fetches, with a broker of its own."""
    directory = tmp_path_factory.mktemp("one-process")
    broker = start_broker(directory / "broker")
    one: dict[str, Any] = {
        "fetch_processes": 1,
        "concurrency": IN_FLIGHT,
        "max_crashes": 2,
        "transaction_seconds": 60.0,
        "aws_regions": REGIONS,
    }
    one["aws_requested_syncs"] = (*TYPES, *MORE_TYPES)
    try:
        with running_fleet(services.graph, broker.url, directory, filled_aws.url, **{**SETTINGS, **one}) as fleet:
            yield fleet
    finally:
        broker.stop()


@pytest.mark.long
def test_of_all_scopes_that_were_in_its_process_only_the_deadly_one_is_blamed(
    one_process: Fleet, aws: AwsServer
) -> None:
    fleet = one_process
    empty(fleet.graph)
    assert fleet.sync().exit_code == 0
    undisturbed = graph_state(fleet.graph)
    for _ in range(ROUNDS):
        paused = [Fault(Effect.PAUSE, service=service) for service in SERVICES]
        deadly = Fault(Effect.KILL_CLIENT, action="DescribeDBInstances", region=HERE)
        aws.add(*paused, deadly)
        ledger = fleet.start()
        wait_for(lambda: len(fetching(ledger)) == IN_FLIGHT)  # noqa: B023
        in_flight = fetching(ledger)
        assert DATABASES in {unit.scope.type for unit in in_flight}
        for fault in paused:
            aws.remove(fault)
        report = fleet.finish(ledger)
        assert [line["status"] for line in report.not_seen] == ["quarantined"]
        for before in in_flight:
            unit = ledger.unit(before.scope)
            assert unit is not None
            guilty = (unit.scope.type, unit.scope.region) == (DATABASES, HERE)
            assert unit.crashes == (2 if guilty else 0), unit
            assert unit.state is (Scope.QUARANTINED if guilty else Scope.CLEANED)
        aws.reset()
        stale = difference(graph_state(fleet.graph), undisturbed)
        assert [line for line in stale if not (HERE in line and ("RDS" in line or "DBSubnetGroup" in line))] == []


def fetching(ledger: Ledger) -> list[Unit]:
    return [unit for unit in ledger.units() if unit.state is Scope.FETCHING]
