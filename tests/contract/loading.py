"""Runs of many resource types over one graph, each scope answered by its type's sample."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import neo4j
import redis

from analysis import links
from loaders import coverage
from loaders.batch import Row
from loaders.cleanup import Cleanup
from loaders.graph import Graph
from loaders.ledger import Attempt, Ledger, State, Unit
from loaders.loader import Loader
from loaders.model import IdLink, Link, NodeModel, Relationship
from loaders.scope import Scope
from loaders.writer import Writer, claim
from tasks.clients.rate_limiter import RateLimiter, RedisRateLimiter
from tasks.engine import registry
from tasks.engine.fetch import Fetching, FetchLimits
from tasks.resource import Api, ResourceType
from tests.contract import event_loop
from tests.contract.faults import Fault, Unlimited
from tests.contract.other_responses import time_for_a_response
from tests.contract.samples import Rows, ends, scope_of
from tests.contract.stand_in import OtherResponse, Responses, StandIn
from workers.settings.fleet_key import fleet_key

LIMITS: Final = FetchLimits()
Response = Responses | Fault | None  # of a type: of its sample's kind, what it meets, or that it has nothing
NEIGHBOUR = "neighbour"  # `_scope` of the nodes to which the samples' rows link, and that no sample has


class Runs:
    """Runs over one graph, each of one scope per type: fetched over HTTP, loaded, cleaned, linked."""

    def __init__(self, writer: Writer, broker: redis.Redis, stand_ins: Mapping[str, StandIn]) -> None:
        self.tag = 0
        self._name = uuid.uuid4().hex[:8]  # the broker is the whole session's
        self._writer, self._broker, self._stand_ins = writer, broker, stand_ins

    def run(self, responses: Mapping[str, Response]) -> None:
        """By name of the type. `None`: everything of it is gone."""
        ledger = self.load(responses)
        self._pass_barrier(ledger)
        ledger.forget()

    def load(self, responses: Mapping[str, Response]) -> Ledger:
        """The same, up to the barrier."""
        types = [registry.types()[name] for name in responses]
        ledger = self._planned(types)
        event_loop.run(self._fetch_all(responses, ledger))
        self._load(ledger)
        for type_ in types:
            unit = ledger.unit(self._scope_of(type_))
            assert unit is not None
            response = responses[type_.name]
            ends = response.ends(type_) if isinstance(response, Fault) else (State.CLEANED,)
            assert unit.state in ends, f"{type_.name}: the scope ended {unit.state}: {unit.reason}"
        return ledger

    def meet(self, fault: Fault, types: Collection[ResourceType]) -> list[Unit]:
        """A run in which the first call of each type meets a fault. How the scopes ended."""
        ledger = self.load_nothing(fault, types)
        self._pass_barrier(ledger)
        units = [unit for unit in ledger.units() if unit.scope.type in registry.types() and not unit.scope.part]
        ledger.forget()
        return units

    def load_nothing(self, fault: Fault, types: Collection[ResourceType]) -> Ledger:
        """The same, up to the barrier."""
        ledger = self._planned(types)
        event_loop.run(
            self._fail_together(fault.other, types, ledger) if fault.other else self._fail(fault, types, ledger)
        )
        self._load(ledger)
        return ledger

    def _planned(self, types: Collection[ResourceType]) -> Ledger:
        self.tag += 1
        run = f"{self.tag}-{self._name}"
        claim(self._writer, run=run, tag=self.tag, resume=False, lease_seconds=0)
        self._writer.serve(self.tag)
        ledger = Ledger(self._broker, run, fleet_key())
        ledger.open(tag=self.tag, config={}, window=1, planners=[planner := Scope(type="any.tenants", tenant="all")])
        planning = ledger.begin(planner, lease_seconds=600, worker="contract")
        assert planning
        ledger.plan(planning, [(self._scope_of(type_), True, 0.0) for type_ in types], queue=False)
        return ledger

    def _load(self, ledger: Ledger) -> None:
        for _ in Loader(self._writer, registry.schema()).drain(ledger, self.tag):
            pass

    def _pass_barrier(self, ledger: Ledger) -> None:
        info = ledger.info()
        assert info is not None
        coverage.write(self._writer, info, ledger.proven_units(), now_ms=ledger.now_ms())
        links.write(self._writer, registry.schema())
        Cleanup(self._writer, registry.schema()).delete_orphans()

    def again(self, ledger: Ledger, responses: Mapping[str, Response]) -> None:
        """A resumption of the newest run: what is planned in it is fetched and loaded."""
        event_loop.run(self._fetch_all(responses, ledger))
        self._load(ledger)

    def _scope_of(self, type_: ResourceType) -> Scope:
        return scope_of(type_, self._stand_ins[type_.provider])

    async def _fetch_all(self, responses: Mapping[str, Response], ledger: Ledger) -> None:
        for name, response in responses.items():
            type_ = registry.types()[name]
            if response is None:
                ledger.fetched(_begun(self._scope_of(type_), ledger), batches=0, outcome={})
            elif isinstance(response, Fault):
                await self._fail(response, [type_], ledger)
            else:
                self._stand_ins[type_.provider].responses = response
                await self._fetch(type_, ledger)

    async def _fetch(
        self,
        type_: ResourceType,
        ledger: Ledger,
        rate_limiter: RateLimiter | None = None,
        limits: FetchLimits = LIMITS,
    ) -> None:
        """The type's scope, and its parts."""
        stand_in, limiter = self._stand_ins[type_.provider], rate_limiter or RedisRateLimiter(self._broker)
        attempt = _begun(self._scope_of(type_), ledger)
        await fetch(type_, attempt, ledger, stand_in, limiter, limits)
        for part in ledger.ended(attempt.scope)[1]:
            await fetch(type_, _begun(part, ledger), ledger, stand_in, limiter, limits)

    async def _fail(self, fault: Fault, types: Collection[ResourceType], ledger: Ledger) -> None:
        assert fault.refuse
        try:
            for type_ in types:
                stand_in = self._stand_ins[type_.provider]
                stand_in.forget()
                stand_in.responses = fault.responses(type_)
                fault.refuse(stand_in, type_.fetch.calls[0])
                await self._fetch(type_, ledger, Unlimited(), FetchLimits(max_wait_seconds=0))
        finally:
            for stand_in in self._stand_ins.values():
                stand_in.forget()

    async def _fail_together(self, other: OtherResponse, types: Collection[ResourceType], ledger: Ledger) -> None:
        for name, stand_in in self._stand_ins.items():
            stand_in.respond_otherwise({type_.fetch.calls[0] for type_ in types if type_.provider == name}, other)
        try:
            with time_for_a_response(1.0 if other.seconds else 60.0):
                await asyncio.gather(*(self._fetch(type_, ledger) for type_ in types))
        finally:
            for stand_in in self._stand_ins.values():
                await stand_in.close()


def _begun(scope: Scope, ledger: Ledger) -> Attempt:
    attempt = ledger.begin(scope, lease_seconds=600, worker="contract")
    assert attempt
    return attempt


async def fetch(
    type_: ResourceType,
    attempt: Attempt,
    ledger: Ledger,
    stand_in: StandIn,
    rate_limiter: RateLimiter,
    limits: FetchLimits = LIMITS,
) -> None:
    """One attempt at the type's scope, as a worker makes it."""

    async def connect() -> Api:
        return await stand_in.connect(attempt.scope, rate_limiter)

    await Fetching(
        type=type_,
        attempt=attempt,
        connect=connect,
        ledger=ledger,
        publish=lambda _: None,
        limits=limits,
    ).run()


@contextmanager
def of_another_tenant(stand_in: StandIn) -> Iterator[None]:
    """Runs are of a tenant that has nothing to do with that of the samples."""
    stand_in.suffix = "-2"
    try:
        yield
    finally:
        stand_in.suffix = ""


def neighbours(graph: Graph, rows: Rows) -> None:
    """Create the nodes to which the rows link by id or by value: links create nothing, so they must be there."""
    found = _Neighbours()
    schema = registry.schema()
    owned = {(model.identity, row["k"]) for model, rows_of in rows.items() for row in rows_of}
    for model, rows_of in rows.items():
        for row in rows_of:
            relationships: tuple[IdLink | Link, ...] = (*model.id_links, *model.links)
            for relationship in relationships:
                target = schema.target(relationship)
                by_id = isinstance(relationship, IdLink)
                keys = ends(model, relationship, row) if by_id else linked(model, relationship, row)
                same = {theirs: row["p"][mine] for mine, theirs in getattr(relationship, "on", ())}
                for key in keys:
                    if isinstance(relationship, Link) and relationship.through:
                        record = schema.by_label[relationship.through[0]]
                        if (record, same.get(record.key.name)) not in owned:
                            found.add(target, key, {})
                            found.add_record(record, relationship.through[1], target, key, same)
                    elif (target.identity, key) not in owned:
                        found.add(target, key, same)
    found.create(graph)


def linked(model: NodeModel, relationship: Relationship, row: Row) -> Collection[str]:
    """Keys of nodes that a link by value would reach: the value, where it is the key; one of those that its `within`
    reaches; or any.
    """
    assert isinstance(relationship, Link)
    values = ends(model, relationship, row)
    if len(values) < len(relationship.on) or not all(values):
        return []
    target = registry.schema().target(relationship)
    if not relationship.through and [theirs for _, theirs in relationship.on] == [target.identity.key.name]:
        return values
    within = next((r for r in model.relationships if relationship.within and r.type == relationship.within), None)
    return ends(model, within, row)[:1] if within else [f"linked to {row['k']}"]


_Named = tuple[NodeModel, str]  # the identity of a node, and its key


class _Neighbours:
    """Nodes and relationships, created by two statements: one for each would take longer to plan than all to run."""

    def __init__(self) -> None:
        self._labels: dict[_Named, dict[str, None]] = {}
        self._properties: dict[_Named, dict[str, Any]] = {}
        self._edges: dict[tuple[_Named, str, _Named], None] = {}

    def add(self, model: NodeModel, key: str, properties: dict[str, Any]) -> None:
        named = (model.identity, key)
        known = {model.identity.key.name: key, "_scope": NEIGHBOUR, "lastupdated": 0}
        self._labels.setdefault(named, {}).update(dict.fromkeys((*model.identity.labels, *model.labels)))
        self._properties.setdefault(named, known).update(properties)

    def add_record(self, record: NodeModel, by: str, target: NodeModel, key: str, properties: dict[str, Any]) -> None:
        """What a link goes through: a record of equal values, which names the other end. Where the record's own link is
        by value, so that the barrier would draw it anew, these are equal, too.
        """
        of_record = next((link for link in record.links if link.type == by), None)
        equal = {mine: key for mine, _ in of_record.on} if of_record else {}
        self.add(record, properties.get(record.key.name, f"record of {key}"), properties | equal)
        if of_record:
            self.add(target, key, {theirs: key for _, theirs in of_record.on})
        [(name, value)] = properties.items()
        for named, has in self._properties.items():
            if record.label in self._labels[named] and has.get(name) == value:
                self._edges[named, by, (target.identity, key)] = None

    def create(self, graph: Graph) -> None:
        nodes = [{"labels": [*self._labels[named]], "properties": has} for named, has in self._properties.items()]
        edges = [{"start": _place(start), "type": type_, "end": _place(end)} for start, type_, end in self._edges]

        def work(tx: neo4j.ManagedTransaction) -> None:
            tx.run(_CREATE_NODES, nodes=nodes).consume()
            tx.run(_CREATE_EDGES, edges=edges).consume()

        graph.write(work)


_CREATE_NODES: Final = "UNWIND $nodes AS node CREATE (n:$(node.labels)) SET n = node.properties"
_CREATE_EDGES: Final = """
UNWIND $edges AS edge
MATCH (a:$(edge.start.label)) WHERE a[edge.start.name] = edge.start.key
MATCH (b:$(edge.end.label)) WHERE b[edge.end.name] = edge.end.key
CREATE (a)-[:$(edge.type)]->(b)
"""


def _place(named: _Named) -> dict[str, str]:
    identity, key = named
    return {"label": identity.label, "name": identity.key.name, "key": key}
