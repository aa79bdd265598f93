"""Redis restarts, Neo4j is away, the loader is behind: everything waits, nothing is lost, no scope is blamed."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest

from loaders.ledger import Ledger, RunState
from loaders.ledger import State as Scope
from loaders.writer import RunRefused, claimed_by
from tests.faults.conftest import SETTINGS, at_rest
from tests.fleet.graph_state import State, difference, graph_state
from tests.fleet.locks import locked, wait_until_blocked
from tests.fleet.running import PLANNERS, QUICK, Fleet, info_of, running_fleet, wait_for, wait_until_one_is_left
from tests.servers.aws import AwsServer, Effect, Fault
from tests.servers.tcp_proxy import TcpProxy
from workers.embedded import Services
from workers.embedded.broker import Broker, start_broker
from workers.fleet.readiness import NotReady
from workers.report import report
from workers.report.watch import RunLost

pytestmark = pytest.mark.long

AWAY_SECONDS = QUICK["writer_lease_seconds"] + 1
BACKLOG_BYTES = 10_000
LEASE_SECONDS = 8.0  # a crash counted here would be wrong, even on a machine too busy for a heartbeat in time
LAST = Fault(Effect.PAUSE, action="DescribeSubnets", region="eu-west-1")


@dataclass
class Surroundings:
    """What the fleet of these tests depends on, and what they take away."""

    broker: Broker
    graph: TcpProxy


@pytest.fixture(scope="module")
def surroundings(services: Services, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Surroundings]:
    broker = start_broker(tmp_path_factory.mktemp("broker"))
    address = urlsplit(services.graph.uri)
    assert address.hostname
    assert address.port
    with TcpProxy(address.hostname, address.port) as proxy:
        surroundings = Surroundings(broker, proxy)
        yield surroundings
    surroundings.broker.stop()


@pytest.fixture(scope="module")
def distant_fleet(
    services: Services, surroundings: Surroundings, filled_aws: AwsServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fleet]:
    """Workers that reach the graph through the proxy; the test itself looks at it directly."""
    settings: dict[str, Any] = {
        "neo4j_uri": f"bolt://127.0.0.1:{surroundings.graph.port}",
        "backlog_bytes": BACKLOG_BYTES,
        "lease_seconds": LEASE_SECONDS,
    }
    logs = tmp_path_factory.mktemp("distant")
    with running_fleet(services.graph, surroundings.broker.url, logs, filled_aws.url, **SETTINGS | settings) as fleet:
        yield fleet


@pytest.fixture
def fleet(distant_fleet: Fleet, undisturbed: State, aws: AwsServer) -> Iterator[Fleet]:
    yield from at_rest(distant_fleet, aws)


def test_a_killed_redis_that_comes_back_costs_no_scope(
    fleet: Fleet, surroundings: Surroundings, aws: AwsServer, undisturbed: State
) -> None:
    """With its append-only file, on the same port; attempts, batches and messages are under way meanwhile."""
    aws.add(Fault(Effect.DELAY, service="ec2", seconds=0.5), LAST)
    ledger = fleet.start()
    wait_for(lambda: aws.hits(LAST) and info_of(ledger).committed_ms)
    assert info_of(ledger).open > 1
    broker = surroundings.broker
    broker.process.send(signal.SIGKILL)
    wait_for(lambda: not broker.process.alive)
    time.sleep(1)
    surroundings.broker = start_broker(broker.directory, broker.port)
    aws.remove(LAST)
    assert_complete(fleet, ledger, undisturbed)


def test_three_outages_of_neo4j_quarantine_nothing_and_lose_nothing(
    fleet: Fleet, surroundings: Surroundings, aws: AwsServer, undisturbed: State
) -> None:
    """Before the first batch, between the batches, and in the middle of the analysis."""
    aws.add(LAST)
    with locked(fleet.graph):
        ledger = fleet.start()
        wait_until_blocked(fleet.graph)
        with surroundings.graph.shut():
            time.sleep(AWAY_SECONDS)
    wait_until_one_is_left(ledger)
    with surroundings.graph.shut():
        aws.remove(LAST)
        wait_for(lambda: info_of(ledger).waiting)
        wait_for(lambda: "the graph isn't responding" in info_of(ledger).blocked_by)
        loader = fleet.health("loader")
        assert loader.healthy, loader.text
        assert f"run {ledger.run} waits: the graph isn't responding" in loader.text
    with locked(fleet.graph, "MATCH (bucket:S3Bucket) SET bucket.held = true"):
        wait_until_blocked(fleet.graph, "MATCH (bucket:S3Bucket)")
        with surroundings.graph.shut():
            time.sleep(AWAY_SECONDS)
    assert_complete(fleet, ledger, undisturbed)
    assert info_of(ledger).blocked_by == ""


def test_a_fetch_waits_while_the_loader_is_behind(fleet: Fleet, undisturbed: State) -> None:
    """For longer than its lease: the backlog stays within the limit, and no crash is counted."""
    with fleet.frozen("loader"):
        ledger = fleet.start()
        wait_for(lambda: info_of(ledger).waiting_bytes > BACKLOG_BYTES)
        time.sleep(LEASE_SECONDS + 2)
        info = info_of(ledger)
        fetching = [unit for unit in ledger.units() if unit.state is Scope.FETCHING]
        assert len(fetching) == fleet.settings.concurrency * fleet.settings.fetch_processes
        assert info.waiting_bytes < 2 * BACKLOG_BYTES
        assert info.open > len(fetching)
        for fetcher in ("fetch-1", "fetch-2"):
            state = fleet.health(fetcher)
            assert state.healthy, state.text
            assert "2 of 2 at work" in state.text
    assert_complete(fleet, ledger, undisturbed)


def test_a_run_whose_graph_was_away_for_longer_than_its_claim_is_still_alive(
    fleet: Fleet, surroundings: Surroundings, aws: AwsServer, undisturbed: State
) -> None:
    """Its fleet can't send the graph a heartbeat, but keeps its ledger: another run is refused, and ends nothing."""
    aws.add(LAST)
    ledger = fleet.start()
    wait_until_one_is_left(ledger)
    with surroundings.graph.shut():
        time.sleep(3)
        with pytest.raises(RunRefused, match=f"run {ledger.run} holds the graph, and is alive"):
            fleet.start(run_lease_seconds=2.0)
    aws.remove(LAST)
    assert_complete(fleet, ledger, undisturbed)


def test_a_broker_that_is_full_is_waited_for(fleet: Fleet, aws: AwsServer, undisturbed: State) -> None:
    """Nobody ends, `status` says so, and with memory again the run goes on to its end."""
    aws.add(LAST)
    before = {process.pid for process in fleet.processes()}
    ledger = fleet.start()
    wait_for(lambda: info_of(ledger).planned > PLANNERS)
    fleet.redis.set("filler", b"x" * 30_000_000)
    fleet.redis.config_set("maxmemory", 20_000_000)
    try:
        aws.remove(LAST)
        assert "the broker's memory is full" in report.of(ledger).trouble
        with pytest.raises(NotReady, match="the broker's memory is full"):
            fleet.start()
        time.sleep(LEASE_SECONDS + 2)
        assert info_of(ledger).state is RunState.RUNNING
        assert "memory is full" in fleet.health("loader").text
    finally:
        fleet.redis.delete("filler")
        fleet.redis.config_set("maxmemory", 0)
    assert_complete(fleet, ledger, undisturbed)
    assert {process.pid for process in fleet.processes()} == before


def test_a_broker_that_was_emptied_loses_the_run_and_nothing_else(
    fleet: Fleet, aws: AwsServer, undisturbed: State
) -> None:
    """In the middle of it. The next run starts once the claim of the lost one has expired, on the same workers."""
    aws.add(LAST)
    ledger = fleet.start()
    wait_until_one_is_left(ledger)
    before = graph_state(fleet.graph)
    fleet.redis.flushall()
    with pytest.raises(RunLost, match=f"run {ledger.run} is lost"):
        fleet.finish(ledger)
    assert difference(graph_state(fleet.graph), before) == []
    claim = claimed_by(fleet.graph)
    assert claim
    assert claim.run == ledger.run
    aws.remove(LAST)
    time.sleep(1)  # its last heartbeat may still be on its way
    following = fleet.start(run_lease_seconds=2.0)
    assert_complete(fleet, following, undisturbed)
    keys = {key.decode() for key in fleet.redis.scan_iter("chartfleet:ledger:*")}
    assert {key.split(":")[2] for key in keys} == {following.run}


def assert_complete(fleet: Fleet, ledger: Ledger, undisturbed: State) -> None:
    done = fleet.finish(ledger)
    assert info_of(ledger).state is RunState.COMPLETE
    assert (done.exit_code, done.not_seen, done.failed_jobs) == (0, [], [])
    assert [unit.scope.id for unit in ledger.units() if unit.crashes] == []
    assert difference(graph_state(fleet.graph), undisturbed) == []
