"""Scopes that have to wait: that counts as no crash, and keeps no worker busy."""

from __future__ import annotations

import time
from collections.abc import Callable

import neo4j

from loaders.ledger import State as Scope
from loaders.writer import GRAPH_NODE, HEARTBEAT_SECONDS
from tests.fleet.graph_state import State, difference, graph_state
from tests.fleet.locks import locked, wait_until_blocked
from tests.fleet.running import QUICK, Fleet, unit_of, wait_for, wait_until_one_is_left
from tests.servers.aws import AwsServer, Effect, Fault

BALANCERS, SUBNETS, HERE = "aws.elb.load_balancers", "aws.ec2.subnets", "us-east-1"
LISTING = ("elb", "DescribeLoadBalancers", HERE)  # of the only type of its service here: what waits, waits alone
HEARTBEAT = f"MATCH {GRAPH_NODE} WHERE g.run"
ASKED_SECONDS = 22  # longer than a call waits within its attempt


def test_a_throttled_scope_is_given_back_and_comes_again_when_it_may(
    fleet: Fleet, aws: AwsServer, undisturbed: State
) -> None:
    service, action, region = LISTING
    aws.add(
        Fault(
            Effect.THROTTLE, service=service, action=action, region=region, times=1, retry_after_seconds=ASKED_SECONDS
        )
    )
    ledger = fleet.start()
    wait_until_one_is_left(ledger)
    given_back = unit_of(ledger, BALANCERS, HERE)
    assert (given_back.state, given_back.attempt, given_back.crashes) == (Scope.PLANNED, 1, 0)
    assert "throttled" in given_back.reason
    report = fleet.finish(ledger)
    unit = unit_of(ledger, BALANCERS, HERE)
    assert (unit.attempt, unit.crashes) == (2, 0)
    calls = aws.calls().recent
    first, second = (call.at for call in calls if (call.service, call.action, call.region) == LISTING)
    assert second - first >= ASKED_SECONDS - 1
    assert report.exit_code == 0
    assert difference(graph_state(fleet.graph), undisturbed) == []


def test_a_graph_that_hangs_hides_no_killed_worker(fleet: Fleet, aws: AwsServer, undisturbed: State) -> None:
    """Somebody holds the lock that every write to the graph needs, the heartbeats of the run too."""
    paused = Fault(Effect.PAUSE, service="ec2", action="DescribeSubnets", region=HERE, times=1)
    aws.add(paused)
    ledger = fleet.start()
    aws.wait_for(paused)
    with locked(fleet.graph, "MATCH (g:SyncGraph) SET g.held = true"):
        time.sleep(2 * QUICK["lease_seconds"])  # long enough for every sweeper to want to write
        fleet.kill(fleet.worker_of(unit_of(ledger, SUBNETS, HERE)).name)
        wait_for(lambda: unit_of(ledger, SUBNETS, HERE).attempt == 2, seconds=30)
    report = fleet.finish(ledger)
    assert report.exit_code == 0
    assert difference(graph_state(fleet.graph), undisturbed) == []


def test_a_worker_stopped_during_a_heartbeat_doesnt_hold_the_graph(
    fleet: Fleet, aws: AwsServer, undisturbed: State
) -> None:
    """It is given the lock when it can no longer release it: Neo4j takes it away."""
    paused = Fault(Effect.PAUSE, service="ec2", action="DescribeSubnets", region=HERE, times=1)
    aws.add(paused)
    ledger = fleet.start()
    aws.wait_for(paused)
    with locked(fleet.graph, "MATCH (g:SyncGraph) SET g.held = true"):
        wait_until_blocked(fleet.graph, HEARTBEAT)
        fleet.freeze()
    aws.remove(paused)
    assert fleet.graph.write(a_write_within(HEARTBEAT_SECONDS + 15))
    fleet.thaw()
    report = fleet.finish(ledger)
    assert report.exit_code == 0
    assert difference(graph_state(fleet.graph), undisturbed) == []


def a_write_within(seconds: float) -> Callable[[neo4j.ManagedTransaction], bool]:
    """A write that needs the lock. Raises ClientError if it isn't free in time."""

    @neo4j.unit_of_work(timeout=seconds)
    def work(tx: neo4j.ManagedTransaction) -> bool:
        return tx.run("MATCH (g:SyncGraph) SET g.held = true REMOVE g.held").consume().counters.contains_updates

    return work
