"""After the barrier: a step that fails is named and stops no other, and every run comes to its end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
import redis

from analysis import links
from loaders.cleanup import Cleanup
from loaders.graph import Graph
from loaders.ledger import Ledger, RunInfo, RunState, State
from loaders.writer import claimed_by
from tasks.engine import registry
from tests.fleet.locks import locked
from tests.integration.runs import Run, Sync, balancer, group, instance, reservation, role, rows, scope
from workers import embedded
from workers.fleet import barrier
from workers.fleet.process import Process
from workers.settings.settings import Settings

INSTANCES, BALANCERS = scope("aws.ec2.instances"), scope("aws.elb.load_balancers")
GROUPS, ROLES = scope("aws.ec2.security_groups"), scope("aws.iam.roles")
PASSWORD = "PASSWORD_OF_THE_GRAPH"


pytestmark = pytest.mark.usefixtures("indexed")


@pytest.fixture
def process(
    services: embedded.Services, graph: Graph, broker: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Process]:
    """A loader's."""
    address = services.graph
    values: dict[str, Any] = {
        "broker_url": services.broker_url,
        "neo4j_uri": address.uri,
        "neo4j_user": address.user,
        "neo4j_password_env_var": PASSWORD,
    }
    monkeypatch.setenv(PASSWORD, address.password or "")
    process = Process(Settings.load({}, {}).with_values(values, "test"))
    with closing(process.writer), closing(process.redis):
        assert process.writer.acquire()
        yield process


SECONDS = 3  # of a transaction, in what follows: whoever waits for a lock takes too long


def info_of(ledger: Ledger) -> RunInfo:
    info = ledger.info()
    assert info
    return info


@pytest.fixture
def settled(process: Process) -> Run:
    """A run that is loaded, and whose analysis is to begin."""
    sync = Sync(process.redis, process.writer)
    items = {INSTANCES: [reservation(instance("i-1"))], BALANCERS: [balancer("lb", instances=["i-1"])]}
    sync.run(items)
    run = sync.start(items)
    for of, some in items.items():
        run.fetch(of, rows(of, some))
    run.load()
    return run


def test_a_link_that_takes_too_long_fails_by_name_and_the_run_goes_on_to_its_end(
    process: Process, settled: Run, graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "NODES_PER_TRANSACTION", 100)
    process.writer._transaction_seconds = SECONDS
    with locked(graph, "MATCH (:LoadBalancer)-[e:EXPOSE]->() SET e.held = true"):
        barrier.analyse(process, settled.ledger.run)
    info = info_of(settled.ledger)
    assert info.state is RunState.FAILED
    assert info.report["error"].startswith("links: LoadBalancer EXPOSE EC2Instance: ")
    assert "record" in info.report["analysis_seconds"]
    assert graph.rows("MATCH (r:SyncRun) RETURN r.state AS state") == [{"state": "failed"}]
    claim = claimed_by(graph)
    assert claim
    assert claim.run is None


def test_an_analysis_that_ends_its_process_each_time_fails_the_run(
    process: Process, settled: Run, graph: Graph
) -> None:
    for number in range(barrier.MAX_ANALYSES):
        assert settled.ledger.open_barrier(f"killed {number}", lease_seconds=0)
        settled.ledger.begin_step(f"killed {number}", "permission relationships")
    barrier.analyse(process, settled.ledger.run)
    info = info_of(settled.ledger)
    assert info.state is RunState.FAILED
    assert info.report["error"] == (
        "5 attempts at the analysis ended with their process, the last in the step permission relationships"
    )
    claim = claimed_by(graph)
    assert claim
    assert claim.run is None


def test_a_cleanup_that_takes_too_long_fails_its_scope_by_name_and_no_other(process: Process, graph: Graph) -> None:
    sync = Sync(process.redis, process.writer)
    sync.run({GROUPS: [group("sg-1"), group("sg-2")], ROLES: [role("one"), role("two")]})
    run = sync.start([GROUPS, ROLES])
    run.fetch(GROUPS, rows(GROUPS, [group("sg-1")]))
    run.fetch(ROLES, rows(ROLES, [role("one")]))
    run.loader._cleanup = Cleanup(process.writer, registry.schema(), limit=100)
    process.writer._transaction_seconds = SECONDS
    with locked(graph, "MATCH (g:EC2SecurityGroup {id: 'sg-2'}) SET g.held = true"):
        run.load()
    groups, roles = run.ledger.unit(GROUPS), run.ledger.unit(ROLES)
    assert groups
    assert roles
    assert (groups.state, roles.state) == (State.FAILED, State.CLEANED)
    assert groups.reason.startswith("cleanup")
    assert graph.rows("MATCH (g:EC2SecurityGroup) RETURN count(g) AS n") == [{"n": 2}]
    assert graph.rows("MATCH (r:AWSRole) RETURN count(r) AS n") == [{"n": 1}]
    assert info_of(run.ledger).open == 0


def test_a_cleanup_of_many_scopes_fails_for_the_one_that_makes_it_fail(process: Process, graph: Graph) -> None:
    scopes = [scope("aws.ec2.security_groups", f"{number}") for number in range(5)]
    graph.write(
        lambda tx: tx.run(
            "UNWIND $scopes AS s CREATE (:EC2SecurityGroup {id: s, _scope: s, lastupdated: 1})",
            scopes=[s.id for s in scopes],
        ).consume()
    )
    process.writer._tag = None  # of no run
    process.writer._transaction_seconds = SECONDS
    with locked(graph, f"MATCH (g:EC2SecurityGroup {{_scope: '{scopes[3].id}'}}) SET g.held = true"):
        cleaned = Cleanup(process.writer, registry.schema(), limit=50).clean(scopes, 2)
    assert list(cleaned.failed) == [scopes[3]]
    assert len(cleaned.cleaned) == 4
    assert graph.rows("MATCH (g:EC2SecurityGroup) RETURN g.id AS id") == [{"id": scopes[3].id}]
