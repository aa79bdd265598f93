"""Loading and cleaning on a real graph: what becomes one node, what is deleted, what is protected, who may write."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import neo4j
import pytest
import redis

from loaders import indexes, retirement
from loaders.cleanup import Cleanup
from loaders.graph import Graph
from loaders.indexes import DuplicateNodes
from loaders.ledger import Event, State
from loaders.model import Node, key, prop
from loaders.schema import GraphSchema
from loaders.writer import LostWriter, OutdatedRun, RunRefused, Writer, claim, revoke_claim, wait_until
from tasks.aws.ec2.instances import EC2Instance
from tasks.engine import registry
from tests.fleet.claims import held_by_run
from tests.fleet.graph_state import elements
from tests.integration.runs import (
    DENIED,
    Sync,
    balancer,
    bucket,
    group,
    instance,
    reservation,
    role,
    role_arn,
    rows,
    scope,
)
from workers import embedded

T = TypeVar("T")

ROLES, OTHER_ROLES = scope("aws.iam.roles"), scope("aws.iam.roles", "2222")
GROUPS, OTHER_GROUPS = scope("aws.ec2.security_groups"), scope("aws.ec2.security_groups", "2222")
BUCKETS, OTHER_BUCKETS = scope("aws.s3.buckets"), scope("aws.s3.buckets", "2222")
INSTANCES, SUBNETS, BALANCERS = scope("aws.ec2.instances"), scope("aws.ec2.subnets"), scope("aws.elb.load_balancers")
ANYBODY = "0.0.0.0/0"

either_order = pytest.mark.parametrize("order", [1, -1], ids=["", "the other way round"])


pytestmark = pytest.mark.usefixtures("indexed")


@pytest.fixture
def sync(writer: Writer, broker: redis.Redis) -> Sync:
    return Sync(broker, writer)


def values(graph: Graph, query: str, **parameters: Any) -> list[Any]:
    """What a query of one column returns."""
    return [value for row in graph.rows(query, parameters) for value in row.values()]


def ordered(responses: dict[Any, Any], order: int) -> dict[Any, Any]:
    return dict(list(responses.items())[::order])


# --- one node, whoever comes first ---


@either_order
def test_a_reference_and_its_owner_make_one_node(sync: Sync, graph: Graph, order: int) -> None:
    subnet = {"SubnetId": "subnet-1", "CidrBlock": "10.0.0.0/24"}
    sync.run(ordered({INSTANCES: [reservation(instance("i-1", subnet="subnet-1"))], SUBNETS: [subnet]}, order))
    assert values(graph, "MATCH (s:EC2Subnet) RETURN s.cidr_block") == ["10.0.0.0/24"]
    assert values(graph, "MATCH (:EC2Instance {id: 'i-1'})-[:PART_OF_SUBNET]->(s) RETURN s._scope") == [SUBNETS.id]
    assert values(graph, "MATCH (:AWSAccount {id: '1111'})-[:RESOURCE]->(s:EC2Subnet) RETURN s.id") == ["subnet-1"]


@either_order
def test_a_role_and_the_principal_that_a_trust_names_are_one_node(sync: Sync, graph: Graph, order: int) -> None:
    responses = {OTHER_ROLES: [role("b", "2222", trusts=[role_arn("a")])], ROLES: [role("a")]}
    sync.run(ordered(responses, order))
    trusted = "MATCH (:AWSRole {name: 'b'})-[:TRUSTS_AWS_PRINCIPAL]->(p) RETURN labels(p), p.name, p.type, p._scope"
    [found] = graph.rows(trusted)
    assert sorted(found.pop("labels(p)")) == ["AWSPrincipal", "AWSRole"]
    assert list(found.values()) == ["a", "AWS", ROLES.id]
    assert values(graph, "MATCH (p:AWSPrincipal) RETURN count(p)") == [2]


@either_order
def test_a_deleted_role_that_is_still_trusted_is_a_bare_principal(sync: Sync, graph: Graph, order: int) -> None:
    trusting = [role("b", "2222", trusts=[role_arn("a")])]
    sync.run({ROLES: [role("a")], OTHER_ROLES: trusting})
    sync.run(ordered({ROLES: [], OTHER_ROLES: trusting}, order))
    [found] = graph.rows("MATCH (:AWSRole)-[:TRUSTS_AWS_PRINCIPAL]->(p) RETURN labels(p) AS labels, properties(p) AS p")
    assert found["labels"] == ["AWSPrincipal"]
    assert found["p"].keys() == {"arn", "id", "type", "firstseen", "lastupdated", "_scope"}
    assert values(graph, "MATCH (:AWSAccount {id: '1111'})-[e]->() RETURN type(e)") == []


@either_order
def test_a_role_that_nobody_trusts_any_more_is_gone(sync: Sync, graph: Graph, order: int) -> None:
    sync.run({ROLES: [role("a")], OTHER_ROLES: [role("b", "2222", trusts=[role_arn("a")])]})
    sync.run(ordered({ROLES: [], OTHER_ROLES: [role("b", "2222")]}, order))
    assert values(graph, "MATCH (p:AWSPrincipal) RETURN p.arn") == [role_arn("b", "2222")]


def test_a_trust_in_an_account_that_was_not_seen_protects_the_principal(sync: Sync, graph: Graph) -> None:
    sync.run({ROLES: [role("a")], OTHER_ROLES: [role("b", "2222", trusts=[role_arn("a")])]})
    sync.run({ROLES: [], OTHER_ROLES: DENIED})
    assert values(graph, "MATCH (:AWSRole)-[:TRUSTS_AWS_PRINCIPAL]->(p) RETURN p.arn") == [role_arn("a")]


def test_a_stub_without_relationships_goes_at_the_barrier(sync: Sync, graph: Graph) -> None:
    sync.run({INSTANCES: [reservation(instance("i-1", subnet="subnet-1"))]})
    run = sync.start([INSTANCES])
    run.fetch(INSTANCES, {})
    run.load()
    assert values(graph, "MATCH (s:EC2Subnet) RETURN s.subnetid") == ["subnet-1"]
    run.barrier()
    assert values(graph, "MATCH (s:EC2Subnet) RETURN s.subnetid") == []


# --- shared nodes ---


def test_a_shared_range_lives_as_long_as_a_rule_names_it(sync: Sync, graph: Graph) -> None:
    ours, theirs = [group("sg-1", cidrs=[ANYBODY])], [group("sg-2", cidrs=[ANYBODY])]
    ranges = "MATCH (r:IpRange) RETURN r.range"
    sync.run({GROUPS: ours, OTHER_GROUPS: theirs})
    assert values(graph, ranges) == [ANYBODY]
    sync.run({GROUPS: [group("sg-1")], OTHER_GROUPS: theirs})
    assert values(graph, ranges) == [ANYBODY]
    sync.run({GROUPS: [group("sg-1")], OTHER_GROUPS: DENIED})
    assert values(graph, ranges) == [ANYBODY]
    sync.run({GROUPS: [group("sg-1")], OTHER_GROUPS: []})
    assert values(graph, ranges) == []


# --- links ---

EXPOSED = "MATCH (:LoadBalancer)-[:EXPOSE]->(i:EC2Instance) RETURN i.id"


@either_order
def test_an_id_link_joins_what_is_there(sync: Sync, graph: Graph, order: int) -> None:
    responses = {BALANCERS: [balancer("lb", instances=["i-1"])], INSTANCES: [reservation(instance("i-1"))]}
    sync.run(ordered(responses, order))
    assert values(graph, EXPOSED) == ["i-1"]


def test_an_id_link_creates_nothing(sync: Sync, graph: Graph) -> None:
    sync.run({BALANCERS: [balancer("lb", instances=["i-1"])]})
    assert values(graph, "MATCH (i:EC2Instance) RETURN i.id") == []


@either_order
def test_an_id_link_does_not_bring_back_a_terminated_instance(sync: Sync, graph: Graph, order: int) -> None:
    balancers = [balancer("lb", instances=["i-1", "i-2"])]
    sync.run({INSTANCES: [reservation(instance("i-1"), instance("i-2"))], BALANCERS: balancers})
    sync.run(ordered({INSTANCES: [reservation(instance("i-1"))], BALANCERS: balancers}, order))
    assert values(graph, "MATCH (i:EC2Instance) RETURN i.id") == ["i-1"]
    assert values(graph, EXPOSED) == ["i-1"]


def test_an_id_link_goes_with_the_id(sync: Sync, graph: Graph) -> None:
    instances = [reservation(instance("i-1"), instance("i-2"))]
    sync.run({INSTANCES: instances, BALANCERS: [balancer("lb", instances=["i-1", "i-2"])]})
    sync.run({INSTANCES: instances, BALANCERS: [balancer("lb", instances=["i-2"])]})
    assert values(graph, EXPOSED) == ["i-2"]


def test_an_id_link_stays_while_its_scope_is_not_seen(sync: Sync, graph: Graph) -> None:
    instances = [reservation(instance("i-1"))]
    sync.run({INSTANCES: instances, BALANCERS: [balancer("lb", instances=["i-1"])]})
    sync.run({INSTANCES: instances, BALANCERS: DENIED})
    assert values(graph, EXPOSED) == ["i-1"]


def test_links_that_an_earlier_tool_drew_stay_until_their_scope_is_seen(sync: Sync, graph: Graph) -> None:
    filled = (
        "CREATE (lb:LoadBalancer {id: 'lb.elb', name: 'lb'})-[:EXPOSE]->(:EC2Instance:Instance {id: 'i-1'}), "
        "(lb)-[:SOURCE_SECURITY_GROUP]->(:EC2SecurityGroup {id: 'sg-1'})"
    )
    graph.write(lambda tx: tx.run(filled).consume())
    instances = [reservation(instance("i-1"))]
    sync.run({INSTANCES: instances, GROUPS: [group("sg-1")], BALANCERS: DENIED})
    assert values(graph, EXPOSED) == ["i-1"]
    assert values(graph, "MATCH (:LoadBalancer)-[:SOURCE_SECURITY_GROUP]->(g) RETURN g.id") == ["sg-1"]
    sync.run({INSTANCES: instances, GROUPS: [group("sg-1")], BALANCERS: [balancer("lb")]})
    assert values(graph, EXPOSED) == []
    assert values(graph, "MATCH (:LoadBalancer)-[:SOURCE_SECURITY_GROUP]->(g) RETURN g.id") == []


def test_a_link_by_value_reaches_only_within_its_own_groups(sync: Sync, graph: Graph) -> None:
    """Every VPC has a group of the name `default`."""
    groups = [group("sg-1", called="default"), group("sg-2", called="default"), group("sg-3", called="web")]
    linked = "MATCH (:LoadBalancer)-[:SOURCE_SECURITY_GROUP]->(g) RETURN g.id"
    sync.run({GROUPS: groups, BALANCERS: [balancer("lb", groups=["sg-1", "sg-3"], source="default")]})
    assert values(graph, linked) == ["sg-1"]
    sync.run({GROUPS: groups, BALANCERS: [balancer("lb", groups=["sg-1", "sg-3"], source="web")]})
    assert values(graph, linked) == ["sg-3"]
    sync.run({GROUPS: groups, BALANCERS: [balancer("lb", groups=["sg-1"], source="web")]})
    assert values(graph, linked) == []


# --- scopes ---


@either_order
@pytest.mark.parametrize("old_account", ["complete", DENIED])
def test_a_bucket_that_moves_leaves_nothing_with_its_old_account(
    sync: Sync, graph: Graph, order: int, old_account: str
) -> None:
    sync.run({BUCKETS: [bucket("b")], OTHER_BUCKETS: []})
    sync.run(ordered({BUCKETS: DENIED if old_account == DENIED else [], OTHER_BUCKETS: [bucket("b")]}, order))
    owners = "MATCH (a:AWSAccount)-[e:RESOURCE]->(b:S3Bucket) RETURN [a.id, e._scope, b._scope]"
    assert values(graph, owners) == [["2222", OTHER_BUCKETS.id, OTHER_BUCKETS.id]]


def test_what_a_denied_scope_held_stays_as_it_was(sync: Sync, graph: Graph) -> None:
    sync.run({ROLES: [role("a")], OTHER_ROLES: [role("b", "2222")]})
    sync.run({ROLES: [role("a")], OTHER_ROLES: DENIED})
    assert values(graph, "MATCH (r:AWSRole) RETURN r.lastupdated ORDER BY r.name") == [2, 1]


def test_the_same_run_again_changes_nothing_but_the_tag(sync: Sync, graph: Graph) -> None:
    responses = {
        ROLES: [role("a", trusts=["*"])],
        GROUPS: [group("sg-1", cidrs=[ANYBODY])],
        INSTANCES: [reservation(instance("i-1", subnet="subnet-1", groups=["sg-1"]))],
        BALANCERS: [balancer("lb", instances=["i-1"], groups=["sg-1"], source="sg-1")],
    }
    sync.run(responses)
    before = elements(graph)
    sync.run(responses)
    assert elements(graph) == before


def test_a_row_that_the_graph_refuses_stays_as_it_was_and_costs_nothing_else(sync: Sync, graph: Graph) -> None:
    sync.run({INSTANCES: [reservation(instance("i-old"), instance("i-3"))]})
    run = sync.start([INSTANCES])
    found = rows(INSTANCES, [reservation(*(instance(f"i-{number}") for number in range(5)))])
    found[EC2Instance.model][3]["p"]["state"] = {"a map": "is no property"}
    run.fetch(INSTANCES, found)
    run.load()
    unit = run.ledger.unit(INSTANCES)
    assert unit is not None
    assert unit.state is State.CLEANED
    [gap] = unit.outcome["gaps"]
    assert gap.startswith("rejected: EC2Instance: Property values can only be of primitive types")
    assert values(graph, "MATCH (i:Instance) RETURN i.id ORDER BY i.id") == ["i-0", "i-1", "i-2", "i-3", "i-4"]
    assert values(graph, "MATCH (i:Instance {id: 'i-3'}) RETURN i.lastupdated") == [1]


class Watched(Graph):
    """Remembers how much each transaction of a cleanup deleted."""

    def __init__(self, driver: neo4j.Driver, database: str | None) -> None:
        super().__init__(driver, database)
        self.deleted: list[int] = []

    def write(self, work: Callable[[neo4j.ManagedTransaction], T]) -> T:
        result = super().write(work)
        if isinstance(result, tuple):
            self.deleted.append(result[1])
        return result


def test_a_hub_is_deleted_in_bounded_transactions(services: embedded.Services, graph: Graph) -> None:
    """30,000 relationships that a scope wrote, 30,000 that a job drew, and the hub itself."""
    graph.autocommit("CREATE (:EC2SecurityGroup {id: 'sg-1', _scope: $groups, lastupdated: 1})", {"groups": GROUPS.id})
    graph.autocommit(
        "UNWIND range(1, 30000) AS i CALL (i) { "
        "MATCH (g:EC2SecurityGroup {id: 'sg-1'}) "
        "CREATE (n:EC2Instance:Instance {id: 'i-' + i, _scope: $instances, lastupdated: 1}) "
        "CREATE (n)-[:MEMBER_OF_EC2_SECURITY_GROUP {_scope: $instances, lastupdated: 1}]->(g) "
        "CREATE (n)<-[:LOGS]-(g) } IN TRANSACTIONS OF 5000 ROWS",
        {"instances": INSTANCES.id},
    )
    watched = Watched(services.graph.driver(), services.graph.database)
    cleanup = Cleanup(watched, registry.schema(), limit=4_000)
    cleanup.clean([INSTANCES, GROUPS], tag=2)
    watched.close()
    assert values(graph, "MATCH (n) RETURN count(n)") == [0]
    assert sum(watched.deleted) == 90_001
    assert max(watched.deleted) < 2 * 4_000


def test_a_hub_that_nothing_needs_is_deleted_in_bounded_transactions(services: embedded.Services, graph: Graph) -> None:
    graph.autocommit(
        "CREATE (g:EC2SecurityGroup {id: 'sg-1', _scope: 'shared', lastupdated: 1}) "
        "WITH g UNWIND range(1, 10000) AS i CREATE (g)-[:LOGS]->(:Log)"
    )
    watched = Watched(services.graph.driver(), services.graph.database)
    assert Cleanup(watched, registry.schema(), limit=4_000).delete_orphans() == 10_001
    watched.close()
    assert values(graph, "MATCH (n) WHERE NOT n:Log RETURN count(n)") == [0]
    assert max(watched.deleted) <= 4_000


def test_a_writer_that_has_worked_long_enough_asks_to_be_called_again(sync: Sync, graph: Graph) -> None:
    run = sync.start([ROLES])
    run.fetch(ROLES, rows(ROLES, [role("one")]))
    assert list(run.loader.drain(run.ledger, run.tag, seconds=0)) == [Event.LOAD]
    assert values(graph, "MATCH (r:AWSRole) RETURN r.name") == []
    run.load()
    assert values(graph, "MATCH (r:AWSRole) RETURN r.name") == ["one"]


def test_a_writer_whose_worker_shuts_down_leaves_the_rest_to_the_next(sync: Sync, graph: Graph) -> None:
    """What is being written is finished: roles are one model, groups are another."""
    run = sync.start([ROLES, GROUPS])
    run.fetch(ROLES, rows(ROLES, [role("one")]))
    run.fetch(GROUPS, rows(GROUPS, [group("sg-1")]))
    shuts_down = iter([False, True])
    assert list(run.loader.drain(run.ledger, run.tag, stopping=lambda: next(shuts_down)))[-1] == Event.LOAD
    assert values(graph, "MATCH (n) WHERE n:AWSRole OR n:EC2SecurityGroup RETURN count(n)") == [1]
    run.load()
    assert values(graph, "MATCH (n) WHERE n:AWSRole OR n:EC2SecurityGroup RETURN count(n)") == [2]


# --- who may write ---


def test_an_outdated_writer_writes_nothing(services: embedded.Services, graph: Graph, writer: Writer) -> None:
    successor = Writer(services.graph.driver(), services.graph.database, lease_seconds=0)
    assert wait_until(successor.acquire, seconds=10, poll_seconds=0.01)
    called = []
    with pytest.raises(LostWriter):
        writer.write(lambda tx: called.append(tx.run("CREATE (:Written)")))
    with pytest.raises(LostWriter):
        writer.autocommit("CREATE (:Written)")
    assert called == []
    assert values(graph, "MATCH (w:Written) RETURN w") == []
    successor.write(lambda tx: tx.run("CREATE (:Written)").consume())
    successor.close()


def test_a_writer_that_gives_signs_of_life_is_not_replaced(services: embedded.Services, writer: Writer) -> None:
    other = Writer(services.graph.driver(), services.graph.database)
    assert not other.acquire()
    writer.release()
    assert other.acquire()
    other.close()


def test_a_batch_of_an_older_run_is_not_written(sync: Sync, graph: Graph) -> None:
    older = sync.start([ROLES])
    older.fetch(ROLES, rows(ROLES, [role("old")]))
    claim(graph, run="later", tag=9, resume=False, lease_seconds=0)
    with pytest.raises(OutdatedRun):
        older.load()
    assert values(graph, "MATCH (r:AWSRole) RETURN r") == []


def test_nothing_is_written_for_a_run_once_it_is_cancelled(sync: Sync, graph: Graph, writer: Writer) -> None:
    """Neither by its loader nor by its analysis, and not after it was resumed under the same tag either."""
    run = sync.start([ROLES])
    revoke_claim(graph, run.ledger.run)
    claim(graph, run=run.ledger.run, tag=run.tag, resume=True, lease_seconds=60)
    with pytest.raises(LostWriter):
        writer.write(lambda tx: tx.run("CREATE (:Written)").consume())
    assert values(graph, "MATCH (w:Written) RETURN w") == []


def test_who_waited_for_a_long_transaction_finds_a_sign_of_life(graph: Graph, services: embedded.Services) -> None:
    """Longer than both leases: neither another loader nor another run takes what is in use."""
    address = services.graph
    writer, other = (Writer(address.driver(), address.database, lease_seconds=0.5) for _ in range(2))
    claim(graph, run="first", tag=1, resume=False, lease_seconds=0.5)
    assert writer.acquire()
    with ThreadPoolExecutor() as pool:
        begun = threading.Event()

        def long(tx: neo4j.ManagedTransaction) -> None:
            begun.set()
            time.sleep(2)

        writing = pool.submit(writer.write, long)
        begun.wait()
        time.sleep(1)  # the heartbeat that the transaction began with is older than the lease now
        second = pool.submit(claim, graph, run="second", tag=2, resume=False, lease_seconds=0.5)
        assert not other.acquire()
        writing.result()
        while not second.done():
            writer.write(lambda _: None)
            time.sleep(0.1)
        with pytest.raises(RunRefused, match="run first holds the graph"):
            second.result()
    writer.close()
    other.close()


FAR_IN_THE_FUTURE = "timestamp() + 10 * 365 * 24 * 3600 * 1000"


def test_a_heartbeat_far_in_the_future_holds_the_graph_for_a_lease(services: embedded.Services, graph: Graph) -> None:
    """The clock was set back since then: neither the dead run nor the dead writer stays for ten years."""
    claim(graph, run="dead", tag=1, resume=False, lease_seconds=1)
    address = services.graph
    dead, writer = (Writer(address.driver(), address.database, lease_seconds=1) for _ in range(2))
    assert dead.acquire()
    set_ = f"MATCH (g:SyncGraph) SET g.run_seen_at = {FAR_IN_THE_FUTURE}, g.writer_seen_at = {FAR_IN_THE_FUTURE}"
    graph.write(lambda tx: tx.run(set_).consume())
    begin = time.monotonic()
    told: list[str] = []
    assert not writer.acquire()
    claim(graph, run="next", tag=2, resume=False, lease_seconds=1, on_wait=told.append)
    assert wait_until(writer.acquire, seconds=3, poll_seconds=0.1)
    assert 1 <= time.monotonic() - begin < 5
    assert told == ["dead"]
    with pytest.raises(LostWriter):
        dead.write(lambda _: None)
    dead.close()
    writer.close()


def test_a_heartbeat_far_in_the_past_does_not_free_it(services: embedded.Services, graph: Graph) -> None:
    """The clock was set forward: who goes on sending heartbeats is alive."""
    claim(graph, run="alive", tag=1, resume=False, lease_seconds=2)
    address = services.graph
    alive, writer = (Writer(address.driver(), address.database, lease_seconds=2) for _ in range(2))
    assert alive.acquire()
    done = threading.Event()
    long_ago = "MATCH (g:SyncGraph) SET g.run_seen_at = 0, g.writer_seen_at = 0"

    def beat() -> None:
        while not done.wait(0.2):
            alive.write(lambda tx: tx.run("MATCH (g:SyncGraph) SET g.clock = 'jumps'").consume())
            graph.write(lambda tx: tx.run(long_ago).consume())

    with ThreadPoolExecutor() as pool:
        beating = pool.submit(beat)
        try:
            with pytest.raises(RunRefused, match="run alive holds the graph, and is alive"):
                claim(graph, run="next", tag=2, resume=False, lease_seconds=2)
            assert not wait_until(writer.acquire, seconds=4)
        finally:
            done.set()
        beating.result()
    alive.close()
    writer.close()


def test_of_runs_that_claim_the_graph_at_the_same_time_one_gets_it(graph: Graph) -> None:
    def attempt(number: int) -> bool:
        try:
            claim(graph, run=f"run-{number}", tag=7, resume=False, lease_seconds=0.5)
        except RunRefused:
            return False
        return True

    with ThreadPoolExecutor() as pool:
        assert sorted(pool.map(attempt, range(5))) == [False] * 4 + [True]


def test_of_writers_that_start_at_the_same_time_one_writes(services: embedded.Services, graph: Graph) -> None:
    address = services.graph
    writers = [Writer(address.driver(), address.database) for _ in range(5)]
    with ThreadPoolExecutor() as pool:
        assert sorted(pool.map(Writer.acquire, writers)) == [False] * 4 + [True]
    for writer in writers:
        writer.close()


def test_a_scope_that_held_nothing_before_isnt_looked_through(sync: Sync, graph: Graph) -> None:
    """What this run loaded can't be older than the run: a first run spends nothing on what to delete."""
    stale = "CREATE (:AWSPrincipal:AWSRole {arn: 'old', _scope: $scope, lastupdated: 0})"
    kept = "MATCH (r:AWSRole {arn: 'old'}) RETURN count(r) AS n"
    graph.write(lambda tx: tx.run(stale, scope=ROLES.id).consume())
    sync.run({ROLES: [role("one")]})
    assert values(graph, kept) == [1]
    sync.run({ROLES: [role("one")]})
    assert values(graph, kept) == [0]


def test_a_scope_can_be_told_by_its_place_before_any_barrier(sync: Sync, graph: Graph) -> None:
    """A run that is cancelled after it loaded something has no coverage; what it loaded can be forgotten anyway."""
    run = sync.start([ROLES])
    run.fetch(ROLES, rows(ROLES, [role("one")]))
    run.load()
    assert retirement.scopes_of(graph, ROLES.tenant) == [ROLES]


def test_one_run_holds_the_graph_and_tags_rise(graph: Graph) -> None:
    with held_by_run(graph, "first", 5), pytest.raises(RunRefused, match="run first holds the graph"):
        claim(graph, run="second", tag=6, resume=False, lease_seconds=60)
    with pytest.raises(RunRefused, match="must be above 5"):
        claim(graph, run="second", tag=5, resume=False, lease_seconds=0)


# --- a graph that another tool filled before ---


class Relic(Node, label="Relic"):
    id: str = key("id")
    name: str | None = prop("name", index=True)


class Other(Node, label="OtherRelic"):
    id: str = key("id")


RELICS = GraphSchema({"toy.relics": [Relic]})


@pytest.fixture
def relics(graph: Graph) -> Iterator[Graph]:
    """A graph in which nothing is known of Relic, before and after."""
    yield graph
    graph.autocommit("MATCH (r:Relic) DETACH DELETE r")
    theirs = "labelsOrTypes[0] IN ['Relic', 'OtherRelic']"
    for row in graph.rows(f"SHOW INDEXES YIELD name, owningConstraint, labelsOrTypes WHERE {theirs}"):
        kind = "CONSTRAINT" if row["owningConstraint"] else "INDEX"
        graph.autocommit(f"DROP {kind} `{row['name']}`")


def relic_indexes(graph: Graph) -> set[tuple[str, bool]]:
    found = graph.rows(
        "SHOW INDEXES YIELD labelsOrTypes, properties, owningConstraint AS c WHERE labelsOrTypes = ['Relic'] "
        "RETURN properties[0] AS property, c IS NOT NULL AS unique"
    )
    return {(row["property"], row["unique"]) for row in found}


def test_a_plain_index_gives_way_to_a_constraint(relics: Graph) -> None:
    relics.autocommit("CREATE INDEX their_name FOR (r:Relic) ON (r.id)")
    relics.autocommit("CREATE INDEX FOR (r:Relic) ON (r.name)")
    indexes.ensure(relics, RELICS)
    assert relic_indexes(relics) == {("id", True), ("name", False), ("_scope", False)}
    indexes.ensure(relics, RELICS)


def test_a_run_creates_the_indexes_of_what_it_loads(relics: Graph) -> None:
    schema = GraphSchema({"toy.relics": [Relic], "toy.others": [Other]})
    indexes.ensure(relics, schema, ["toy.others"])
    assert relic_indexes(relics) == set()
    indexes.ensure(relics, schema, ["toy.relics"])
    assert relic_indexes(relics) == {("id", True), ("name", False), ("_scope", False)}


def test_what_a_type_refers_to_has_its_constraint_as_well() -> None:
    written = registry.schema().written_by(["aws.ec2.instances"])
    assert {"EC2Instance", "EC2Subnet", "AWSAccount"} <= written
    assert "GCPInstance" not in written


def test_duplicates_are_named_with_the_way_out(relics: Graph) -> None:
    relics.write(lambda tx: tx.run("CREATE (:Relic {id: 'twice'}), (:Relic {id: 'twice'})").consume())
    with pytest.raises(DuplicateNodes, match=r"several Relic nodes with the same id.*twice.*chartfleet adopt"):
        indexes.ensure(relics, RELICS)


def test_an_index_that_nothing_declares_any_more_goes_and_those_of_others_stay(sync: Sync, graph: Graph) -> None:
    """One on the addresses of DNS records refused a record that has hundreds of them."""
    graph.autocommit("CREATE INDEX chartfleet_AWSRoute53Record_value FOR (n:AWSRoute53Record) ON (n.value)")
    graph.autocommit("CREATE INDEX mine FOR (n:AWSRoute53Record) ON (n.comment)")
    graph.autocommit("CREATE INDEX chartfleet_Plugin_name FOR (n:Plugin) ON (n.name)")
    indexes.ensure(graph, registry.schema())
    left = values(
        graph,
        "SHOW INDEXES YIELD name WHERE name CONTAINS 'value' OR name IN ['mine', 'chartfleet_Plugin_name'] RETURN name",
    )
    for name in ("mine", "chartfleet_Plugin_name"):
        graph.autocommit(f"DROP INDEX {name}")
    assert "chartfleet_AWSRoute53Record_value" not in left
    assert {"mine", "chartfleet_Plugin_name"} <= set(left)
