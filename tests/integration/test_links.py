"""Links at the barrier: many share a transaction, and the graph doesn't depend on which do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import TypeVar

import neo4j
import pytest
import redis

from analysis import links
from loaders.graph import Graph
from loaders.writer import Writer
from tasks.engine import registry
from tests.integration.runs import Sync, balancer, group, instance, reservation, scope
from workers import embedded

INSTANCES, BALANCERS = scope("aws.ec2.instances"), scope("aws.elb.load_balancers")
GROUPS = scope("aws.ec2.security_groups")
EXPOSED = "MATCH (b:LoadBalancer)-[:EXPOSE]->(i:EC2Instance) RETURN b.name AS balancer, i.instanceid AS instance"
T = TypeVar("T")

pytestmark = pytest.mark.usefixtures("indexed")


class Counting(Writer):
    transactions = 0

    def write(self, work: Callable[[neo4j.ManagedTransaction], T]) -> T:
        self.transactions += 1
        return super().write(work)


@pytest.fixture
def writer(services: embedded.Services, graph: Graph) -> Iterator[Counting]:
    with closing(Counting(services.graph.driver(), services.graph.database)) as writer:
        assert writer.acquire()
        yield writer


@pytest.mark.parametrize("together", [1, links.ELEMENTS_TOGETHER], ids=["each alone", "together"])
def test_links_follow_the_nodes(
    together: int, writer: Counting, broker: redis.Redis, graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "ELEMENTS_TOGETHER", together)
    monkeypatch.setattr(links, "NODES_PER_TRANSACTION", 1)
    sync = Sync(broker, writer)
    instances = [reservation(instance(f"i-{n}")) for n in range(3)]

    sync.run({INSTANCES: instances, BALANCERS: [balancer("a", instances=["i-0", "i-1"]), balancer("b", instances=[])]})
    assert exposed(graph) == {("a", "i-0"), ("a", "i-1")}

    sync.run({INSTANCES: instances, BALANCERS: [balancer("a", instances=["i-2"]), balancer("b", instances=["i-1"])]})
    assert exposed(graph) == {("a", "i-2"), ("b", "i-1")}


def test_links_of_few_nodes_share_transactions(writer: Counting, broker: redis.Redis, graph: Graph) -> None:
    sync = Sync(broker, writer)
    sync.run(
        {
            GROUPS: [group("sg-1", called="lb")],
            INSTANCES: [reservation(instance("i-1"))],
            BALANCERS: [balancer("a", instances=["i-1"], source="lb")],
        }
    )
    schema = registry.schema()
    number = len(list(links.statements(schema, graph.labels(), graph.relationship_types())))
    assert number > 1
    before = writer.transactions

    links.write(writer, schema)

    assert writer.transactions - before == -(-number // links.LINKS_TOGETHER)


def exposed(graph: Graph) -> set[tuple[str, str]]:
    return {(row["balancer"], row["instance"]) for row in graph.rows(EXPOSED)}
