"""The contract of every resource type. A new declaration is found by itself; what it needs beside its file is a sample:

    tests/answers/<provider>/<type name>.json    {"s3:ListBuckets": [page, ...], "s3:GetBucketPolicy": {bucket: answer}}

written by hand from the provider's documentation, without secrets, so rich that each property and relationship of the
declaration is filled at least once, and of two items or more. How it is served: tests/servers/answers.py.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import redis

from analysis import links
from loaders import cypher, indexes
from loaders.batch import Row
from loaders.cleanup import Cleanup
from loaders.graph import Graph
from loaders.ledger import Ledger, State
from loaders.loader import Loader
from loaders.model import IdLink, Link, NodeModel, Reference, Relationship, Source
from loaders.scope import GLOBAL, Scope
from loaders.writer import Writer, claim
from tasks import registry
from tasks.aws import api, credentials
from tasks.aws.api import AwsApi, Listing, result_paths
from tasks.aws.node import AWSNode, kind_of
from tasks.failures import BadItem
from tasks.fetch import Fetching, FetchLimits
from tasks.rate_budget import RateBudget
from tasks.resource import Per, ResourceType, Tenant
from tasks.rows import rows_of
from tests.contract import shapes
from tests.fleet.graph_state import State as GraphState
from tests.fleet.graph_state import difference, elements, graph_state
from tests.servers.answers import ACCOUNT, Answers, AnswerServer
from workers import embedded

ANSWERS = Path(__file__).parents[1] / "answers"
REGION = "eu-west-1"
NEIGHBOUR = "neighbour"  # `_scope` of the nodes of other types to which the sample's rows link

every_type = pytest.mark.parametrize("type_", registry.types().values(), ids=registry.types().keys())
every_aws_type = pytest.mark.parametrize("type_", registry.of("aws"), ids=lambda type_: type_.name)
Rows = dict[NodeModel, list[Row]]


def sample_file(type_: ResourceType) -> Path:
    return ANSWERS / type_.provider / f"{type_.name}.json"


def sample(type_: ResourceType) -> Answers:
    file = sample_file(type_)
    if not file.exists():
        calls = ", ".join(type_.fetch.calls)
        pytest.fail(f"{type_.name} has no sample answer: write {file.relative_to(Path.cwd())} with pages of {calls}")
    found: Answers = json.loads(file.read_text())
    return found


def where(type_: ResourceType) -> str:
    return str(sample_file(type_).relative_to(ANSWERS.parents[1]))


def half(type_: ResourceType) -> Answers:
    """The sample without every other item: of its listing, or of every list that its code reads.

    A call whose whole answer is the item always answers.
    """
    left = deepcopy(sample(type_))
    for action, path in _lists(type_):
        pages = left[action]
        seen = 0
        for page in pages.values() if isinstance(pages, dict) else pages:
            assert isinstance(page, dict)
            items = page.get(path, [])
            page[path] = [item for number, item in enumerate(items, start=seen) if number % 2 == 0]
            seen += len(items) if isinstance(pages, list) else 0
    return left


def _lists(type_: ResourceType) -> list[tuple[str, str]]:
    """(call, where its answer holds a list) of what a type reads its items from."""
    if isinstance(type_.fetch, Listing):
        return [(type_.fetch.action, path) for path in shapes.items_paths(type_.fetch)]
    paged = {action: shapes.paging(action) for action in type_.fetch.calls}
    return [(action, path) for action, config in paged.items() if config for path in result_paths(config)]


def scope_of(type_: ResourceType) -> Scope:
    return Scope(type=type_.name, tenant=ACCOUNT, region=REGION if type_.per is Per.REGION else GLOBAL)


# --- what the declaration says, against the service's model ---


def test_there_are_types_to_check() -> None:
    assert registry.types()


@every_type
def test_its_provider_has_a_server_of_samples(type_: ResourceType) -> None:
    assert type_.provider == "aws", (
        f"no server answers samples of {type_.provider}: write one beside tests/servers/answers.py"
    )


@every_aws_type
def test_its_calls_exist(type_: ResourceType) -> None:
    for action in type_.fetch.calls:
        shapes.operation(action)
    if isinstance(type_.fetch, Listing):
        check_calls(type_, type_.fetch)


def check_calls(type_: ResourceType, fetch: Listing) -> None:
    """Its parameters exist, and what it takes from the items to make or to look up another call is there, as text."""
    for action, parameters in (
        (fetch.action, [name for name, _ in fetch.parameters]),
        *((detail.action, [name for name, _ in detail.parameters]) for detail in fetch.details),
        *((together.action, [together.parameter]) for together in fetch.togethers),
    ):
        takes = shapes.operation(action).input_shape
        known = takes.members if takes else {}
        assert set(parameters) <= set(known), f"{type_.name}: {action} takes {', '.join(known)}"
    for detail in fetch.details:
        place = shapes.walk(detail.each, shapes.item_of(fetch))[0] if detail.each else shapes.item_of(fetch)
        for name, path in detail.parameters:
            assert_text(place, path, f"{type_.name}: {detail.action}: {name}={path!r}")
    for beside in fetch.besides:
        check_calls(type_, beside.listing)
        said = f"{type_.name}: {beside.listing.action}: by={beside.by!r}"
        assert_text(shapes.item_of(beside.listing), beside.by, said, many="[]" in beside.by)
    for together in fetch.togethers:
        said = f"{type_.name}: {together.action}: "
        assert_text(shapes.item_of(fetch), together.path, f"{said}{together.parameter}={together.path!r}")
        assert_text(shapes.operation(together.action).output_shape, together.by, f"{said}by={together.by!r}", many=True)


def assert_text(place: shapes.Place, path: str, said: str, *, many: bool = False) -> None:
    shape, is_many = shapes.walk(path, place)
    assert (shape.type_name, is_many) == ("string", many), said


@every_aws_type
def test_its_paths_lead_to_values_that_fit_the_fields(type_: ResourceType) -> None:
    if not isinstance(type_.fetch, Listing):
        pytest.skip("its fetch is code: what the paths lead to is checked by the sample alone")
    wrong = []
    for each in type_.each:
        model = each.node.model
        try:
            spot = shapes.spots(type_, each)
        except shapes.NotInModel as error:
            wrong.append(f"{type_.name}: {model.label}.each({each.path!r}): {error}")
            continue
        for declared in model.properties:
            try:
                shapes.check_property(declared, spot)
            except shapes.NotInModel as error:
                wrong.append(f"{type_.name}: property {model.label}.{declared.name}: {error}")
        for relationship in model.relationships:
            try:
                shapes.check_relationship(relationship, spot)
            except shapes.NotInModel as error:
                wrong.append(
                    f"{type_.name}: relationship {model.label} {relationship.type} {relationship.label}: {error}"
                )
    assert not wrong, "\n".join(wrong)


@every_aws_type
def test_it_says_of_which_kind_its_arns_are(type_: ResourceType, aws: AnswerServer, broker: redis.Redis) -> None:
    """Tags are listed by ARN: a node whose kind nobody says would be one without tags."""
    rows = rows_over_http(type_, aws, broker)
    for node in type_.nodes:
        model = node.model
        if model.shared or not issubclass(node, AWSNode) or any(r.type == "TAGGED" for r in model.references):
            continue
        arns = {row["p"].get("arn", row["k"]) for row in rows[model] if isinstance(row["p"].get("arn", row["k"]), str)}
        kinds = {kind for arn in arns if (kind := kind_of(arn))}
        if not node.says_its_arn:
            assert "arn" not in {p.name for p in model.properties}, (
                f"{type_.name}: {model.label} has an arn: say arn={min(kinds, default=None)!r} in its class line, "
                "or arn=None if the tagging API never lists it"
            )
        elif node.arn_kind and not node.found_by_id:
            assert kinds == {node.arn_kind}, f"{type_.name}: {model.label} says arn={node.arn_kind!r}, it has {arns}"


# --- the sample ---


@every_aws_type
def test_its_sample_is_a_possible_answer(type_: ResourceType) -> None:
    answers = sample(type_)
    assert set(answers) == set(type_.fetch.calls), (
        f"{where(type_)} must answer {', '.join(type_.fetch.calls)}, and no other"
    )
    wrong = []
    for action, found in answers.items():
        answers_of = found.items() if isinstance(found, dict) else enumerate(found)
        for name, answer in answers_of:
            for page in answer if isinstance(answer, list) else [answer]:
                if not isinstance(page, str):
                    shape = shapes.operation(action).output_shape
                    wrong += shapes.violations(shape, page, f"{where(type_)}: {action}[{name!r}]")
    assert not wrong, "\n".join(wrong)


@every_aws_type
def test_its_sample_has_more_than_one_item(type_: ResourceType) -> None:
    if isinstance(type_.fetch, Listing) and (paths := shapes.items_paths(type_.fetch)):
        items = [item for page in sample(type_)[type_.fetch.action] for path in paths for item in page.get(path, [])]
        assert len(items) > 1, f"add a second item to {where(type_)}: then the cleanup can be checked"


@every_aws_type
def test_its_sample_fills_every_property_and_relationship(
    type_: ResourceType, aws: AnswerServer, broker: redis.Redis
) -> None:
    rows = rows_over_http(type_, aws, broker)
    missing: dict[str, Any] = {}
    for each in type_.each:
        model, found = each.node.model, rows[each.node.model]
        for declared in model.properties:
            if not any(row["p"].get(declared.name) is not None for row in found):
                missing[f"property {model.label}.{declared.name}"] = declared.source
        for relationship in model.relationships:
            if not any(_ends(model, relationship, row) for row in found):
                name = f"relationship {model.label} {relationship.type} {relationship.label}"
                missing[name] = getattr(relationship, "keys", relationship)
    assert not missing, "\n".join(
        f"{type_.name}: {what} is filled by no sample: add {_said(source)} to {where(type_)}"
        for what, source in missing.items()
    )


def _said(source: Any) -> str:
    if isinstance(source, Link):
        return " and ".join(f"what fills {mine}" for mine, _ in source.on)
    path = getattr(source, "parent_path", source)
    return path if isinstance(path, str) else f"what {source.__name__}() looks for"


def _ends(model: NodeModel, relationship: Relationship, row: Row) -> list[Any]:
    """The keys, or for a link the values, of the nodes at the other ends of one row's relationship."""
    if isinstance(relationship, Reference):
        keys: list[Any] = row["r"][model.references.index(relationship)]
        return keys
    if isinstance(relationship, IdLink):
        return row["p"].get(relationship.kept_as) or []
    return [row["p"][mine] for mine, _ in relationship.on if row["p"].get(mine) is not None]


# --- from the answer to the graph ---


@pytest.fixture(scope="module")
def server() -> Iterator[AnswerServer]:
    with AnswerServer() as running:
        yield running


@pytest.fixture
def aws(server: AnswerServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[AnswerServer]:
    """AWS as this process sees it; its credentials are an account's number, as the server wants them."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCOUNT)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    credentials.forget({})
    yield server
    credentials.forget({})


def rows_over_http(type_: ResourceType, aws: AnswerServer, broker: redis.Redis) -> Rows:
    """The rows of the sample, through the real client. BadItem fails the test."""
    aws.answers = sample(type_)
    scope, tenant = scope_of(type_), Tenant(provider="aws", id=ACCOUNT, name="sample")
    rows: Rows = defaultdict(list)

    async def read() -> None:
        connection = AwsApi(tenant, scope.region, RateBudget(broker), "aws")
        try:
            async for item in type_.fetch.items(connection, ""):
                assert item.failure is None, f"{where(type_)}: {item.failure}"
                for model, row in rows_of(type_, Source(item.value, scope, (), "aws", tenant.name)):
                    rows[model].append(row)
        except BadItem as error:
            pytest.fail(f"{where(type_)}: {error}")
        finally:
            await api.close()

    asyncio.run(read())
    return rows


class Runs:
    """Runs over one graph, each of one scope with a ledger of its own: fetched over HTTP, loaded, cleaned, linked."""

    def __init__(self, writer: Writer, broker: redis.Redis, aws: AnswerServer) -> None:
        self.tag = 0
        self._writer, self._broker, self._aws = writer, broker, aws

    def run(self, type_: ResourceType, answers: Answers | None) -> None:
        """`answers=None`: everything is gone."""
        self.tag += 1
        run, scope = f"{self.tag}-contract", scope_of(type_)
        claim(self._writer, run=run, tag=self.tag, resume=False, lease_seconds=0)
        self._writer.serve(self.tag)
        ledger = Ledger(self._broker, run)
        ledger.open(tag=self.tag, config={}, window=1, planners=[planner := Scope(type="aws.tenants", tenant="all")])
        planning = ledger.begin(planner, lease_seconds=600, worker="contract")
        assert planning
        ledger.plan(planning, [(scope, True, 0.0)], queue=False)
        attempt = ledger.begin(scope, lease_seconds=600, worker="contract")
        assert attempt
        if answers is None:
            ledger.fetched(attempt, batches=0, outcome={})
        else:
            self._aws.answers = answers
            asyncio.run(self._fetch(type_, attempt, ledger))
        for _ in Loader(self._writer, registry.schema()).drain(ledger, self.tag):
            pass
        unit = ledger.unit(scope)
        assert unit is not None
        assert unit.state is State.CLEANED, f"{type_.name}: the scope ended {unit.state}: {unit.reason}"
        links.draw(self._writer, registry.schema())
        Cleanup(self._writer, registry.schema()).unneeded()
        ledger.forget()

    async def _fetch(self, type_: ResourceType, attempt: Any, ledger: Ledger) -> None:
        tenant = Tenant(provider="aws", id=ACCOUNT, name="sample")

        async def connect() -> AwsApi:
            return AwsApi(tenant, attempt.scope.region, RateBudget(self._broker), "aws")

        try:
            await Fetching(
                type=type_,
                attempt=attempt,
                connect=connect,
                ledger=ledger,
                schema=registry.schema(),
                publish=lambda _: None,
                limits=FetchLimits(lease_seconds=600),
                stopping=lambda: False,
            ).run()
        finally:
            await api.close()


@pytest.fixture(scope="module")
def indexed(services: embedded.Services) -> None:
    graph = Graph.at(services.graph)
    indexes.ensure(graph, registry.schema())
    graph.close()


@pytest.fixture
def runs(
    indexed: None, services: embedded.Services, graph: Graph, broker: redis.Redis, aws: AnswerServer
) -> Iterator[Runs]:
    writer = Writer(services.graph.driver(), services.graph.database)
    assert writer.acquire()
    yield Runs(writer, broker, aws)
    writer.close()


@every_aws_type
def test_it_is_loaded_and_cleaned(
    type_: ResourceType, runs: Runs, graph: Graph, aws: AnswerServer, broker: redis.Redis
) -> None:
    rows = rows_over_http(type_, aws, broker)
    neighbours(graph, rows)
    runs.run(type_, sample(type_))
    assert_all_loaded(graph, rows, type_)

    before = elements(graph)
    runs.run(type_, sample(type_))
    assert elements(graph) == before, f"{type_.name}: loading the same again changed more than lastupdated"

    runs.run(type_, half(type_))
    after_deletion = graph_state(graph)
    runs.run(type_, None)
    assert_nothing_left(graph, type_)
    assert_same(after_deletion, half_alone(type_, rows, runs, graph), type_)


def neighbours(graph: Graph, rows: Rows) -> None:
    """The nodes of other types that the rows link to by id or by value: links create nothing, so they must be there."""
    schema = registry.schema()
    owned = {(model.identity, row["k"]) for model, found in rows.items() for row in found}
    for model, found in rows.items():
        for row in found:
            for relationship in (*model.id_links, *model.links):
                target = schema.target(relationship)
                keys = (
                    _ends(model, relationship, row)
                    if isinstance(relationship, IdLink)
                    else _linked(model, relationship, row)
                )
                same = {theirs: row["p"][mine] for mine, theirs in getattr(relationship, "on", ())}
                through = getattr(relationship, "through", None)
                for key in keys:
                    if through:
                        _make(graph, target, key, {})
                        _make_record(graph, schema.by_label[through[0]], through[1], target, key, same)
                    elif (target.identity, key) not in owned:
                        _make(graph, target, key, same)


def _linked(model: NodeModel, relationship: Relationship, row: Row) -> list[str]:
    """Keys of nodes that a link by value would reach: one of those that its `within` reaches, or any."""
    assert isinstance(relationship, Link)
    if not all(_ends(model, relationship, row)):
        return []
    within = next((r for r in model.relationships if relationship.within and r.type == relationship.within), None)
    return _ends(model, within, row)[:1] if within else [f"linked to {row['k']}"]


def _make_record(
    graph: Graph, record: NodeModel, by: str, target: NodeModel, key: str, properties: dict[str, Any]
) -> None:
    """What a link goes through: a record of equal values, which names the other end."""
    _make(graph, record, properties.get(record.key.name, f"record of {key}"), properties)
    query = (
        f"MATCH (r:{cypher.quoted(record.label)}), (t:{cypher.quoted(target.label)} {{{target.key.name}: $key}}) "
        f"WHERE properties(r) [$name] = $value MERGE (r)-[:{cypher.quoted(by)}]->(t)"
    )
    [(name, value)] = properties.items()
    graph.write(lambda tx: tx.run(query, key=key, name=name, value=value).consume())


def _make(graph: Graph, model: NodeModel, key: str, properties: dict[str, Any]) -> None:
    query = (
        f"MERGE (n{cypher.labels(model.identity.labels)} {{{cypher.quoted(model.identity.key.name)}: $key}})\n"
        f"SET n{cypher.labels(model.labels)}, n += $properties, n._scope = $scope, n.lastupdated = 0"
    )
    graph.write(lambda tx: tx.run(query, key=key, properties=properties, scope=NEIGHBOUR).consume())


def assert_all_loaded(graph: Graph, rows: Rows, type_: ResourceType) -> None:
    """Every row is a node with its labels and properties, and has its relationships."""
    for model, found in rows.items():
        for row in found:
            node = _node(graph, model, row["k"])
            assert node is not None, f"{type_.name}: no {model.label} {row['k']} in the graph"
            assert set(model.labels) <= set(node["labels"]), (
                f"{type_.name}: {model.label} {row['k']} has {node['labels']}"
            )
            expected = {name: value for name, value in row["p"].items() if value is not None}
            assert {name: node["properties"].get(name) for name in expected} == expected, f"{type_.name}: {row['k']}"
            if not model.shared:
                assert node["properties"]["_scope"] == scope_of(type_).id
            for relationship in model.relationships:
                _assert_related(graph, model, relationship, row, type_)


def _assert_related(graph: Graph, model: NodeModel, relationship: Relationship, row: Row, type_: ResourceType) -> None:
    target = registry.schema().target(relationship)
    incoming = not isinstance(relationship, Link) and relationship.incoming
    edge = cypher.pattern(relationship.type, "e", incoming=incoming)
    query = (
        f"MATCH (n{cypher.labels(model.labels)} {{{cypher.quoted(model.key.name)}: $key}}){edge}"
        f"(t:{cypher.quoted(target.identity.label)}) RETURN t.{cypher.quoted(target.identity.key.name)} AS end"
    )
    reached = {found["end"] for found in graph.rows(query, {"key": row["k"]})}
    where_from = f"{type_.name}: {model.label} {row['k']} -{relationship.type}- {relationship.label}"
    if isinstance(relationship, Link):
        expected = _linked(model, relationship, row)
        assert bool(reached) == bool(expected), f"{where_from}: reaches {reached}"
    else:
        assert set(_ends(model, relationship, row)) <= reached, f"{where_from}: reaches {reached}"


def _node(graph: Graph, model: NodeModel, key: str) -> dict[str, Any] | None:
    query = (
        f"MATCH (n:{cypher.quoted(model.identity.label)} {{{cypher.quoted(model.identity.key.name)}: $key}}) "
        "RETURN labels(n) AS labels, properties(n) AS properties"
    )
    found = graph.rows(query, {"key": key})
    return found[0] if found else None


def assert_nothing_left(graph: Graph, type_: ResourceType) -> None:
    left = graph.rows(
        "MATCH (n) WHERE n._scope IN [$scope, 'shared'] RETURN labels(n) AS node", {"scope": scope_of(type_).id}
    )
    assert left == [], f"{type_.name}: nothing was listed, but these nodes stayed"
    edges = graph.rows("MATCH ()-[e]->() WHERE e._scope IS NOT NULL RETURN type(e) AS edge")
    assert edges == [], f"{type_.name}: nothing was listed, but these relationships stayed"


def half_alone(type_: ResourceType, rows: Rows, runs: Runs, graph: Graph) -> GraphState:
    """What a graph says that never held more than half of the sample."""
    graph.write(lambda tx: tx.run("MATCH (n) WHERE NOT n:SyncGraph DETACH DELETE n").consume())
    neighbours(graph, rows)
    runs.run(type_, half(type_))
    return graph_state(graph)


def assert_same(found: GraphState, expected: GraphState, type_: ResourceType) -> None:
    """A stub is as old as the first reference to it, so of stubs that is not compared."""
    different = difference(*(Counter(map(_without_age_of_stubs, state.elements())) for state in (found, expected)))
    assert not different, f"{type_.name}: after a deletion the graph has too much (+) or too little (-):\n" + "\n".join(
        different
    )


def _without_age_of_stubs(line: str) -> str:
    return re.sub(r', "lastupdated": "[a-z ]+"', "", line) if '"_scope": "shared"' in line else line
