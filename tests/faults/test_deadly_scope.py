"""A scope that kills every worker that fetches it."""

from __future__ import annotations

from loaders.ledger import State as Scope
from tests.fleet.graph_state import State, difference, graph_state
from tests.fleet.running import Fleet, info_of, unit_of, wait_until_one_is_left
from tests.servers.aws import AwsServer, Effect, Fault

DATABASES, HERE = "aws.rds.instances", "eu-west-1"


def test_a_scope_that_always_kills_its_worker_is_quarantined_and_holds_nobody_up(
    fleet: Fleet, aws: AwsServer, undisturbed: State
) -> None:
    third_time = Fault(Effect.PAUSE, action="DescribeDBInstances", region=HERE, after=2)
    deadly = Fault(Effect.KILL_CLIENT, action="DescribeDBInstances", region=HERE)
    aws.add(third_time, deadly)
    ledger = fleet.start()
    wait_until_one_is_left(ledger)  # everything else is fetched, loaded and cleaned meanwhile
    aws.wait_for(third_time)
    assert unit_of(ledger, DATABASES, HERE).state is Scope.FETCHING
    aws.remove(third_time)
    report = fleet.finish(ledger)
    assert aws.hits(deadly) == unit_of(ledger, DATABASES, HERE).crashes == 3
    [line] = report.not_seen
    assert (line["type"], line["region"], line["status"]) == (DATABASES, HERE, "quarantined")
    assert line["reason"].startswith("3 attempts stopped sending heartbeats (their worker process crashed")
    assert report.exit_code == 3
    assert report.scopes == {"complete": info_of(ledger).planned - 1, "quarantined": 1}
    lacking = difference(graph_state(fleet.graph), undisturbed)
    assert lacking
    assert all(HERE in line and ("RDS" in line or "DBSubnetGroup" in line) for line in lacking), lacking
