"""What the graph can't take costs a row or a batch, never the run: whatever the error, however long it takes."""

from __future__ import annotations

import io
import json
import zlib
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from typing import Any

import msgpack
import neo4j
import pytest
import redis
from neo4j.exceptions import DatabaseError, Neo4jError

from loaders import batch
from loaders.batch import Row
from loaders.errors import UsageError
from loaders.graph import Graph
from loaders.ledger import State
from loaders.loader import MAX_TRIES
from loaders.scope import Scope
from loaders.wire_name import wire_name
from loaders.writer import RunRefused, Writer, release_claim
from tasks.aws.ec2.security_groups import EC2SecurityGroup
from tests.fleet.claims import held_by_run
from tests.fleet.locks import locked
from tests.integration.runs import Run, Sync, group, role, rows, scope
from workers import embedded
from workers.commands import rejected as command
from workers.settings.settings import Settings

GROUPS, ROLES, BUCKETS = scope("aws.ec2.security_groups"), scope("aws.iam.roles"), scope("aws.s3.buckets")
NAMES = "MATCH (g:EC2SecurityGroup) WHERE g._scope = $scope RETURN g.id AS id ORDER BY id"


pytestmark = pytest.mark.usefixtures("indexed")


@pytest.fixture
def writer(writer: Writer) -> Iterator[Writer]:
    """Of which nothing is left for the next test: its command takes the writer's place at once."""
    yield writer
    writer.release()


@pytest.fixture
def sync(writer: Writer, broker: redis.Redis) -> Sync:
    return Sync(broker, writer)


def groups(count: int) -> list[dict[str, Any]]:
    return [group(f"sg-{number}") for number in range(count)]


def loaded(graph: Graph, of: Scope = GROUPS) -> list[str]:
    return [row["id"] for row in graph.rows(NAMES, {"scope": of.id})]


def ended(run: Run, of: Scope = GROUPS) -> tuple[State, str]:
    unit = run.ledger.unit(of)
    assert unit
    return unit.state, unit.reason or "; ".join(unit.outcome.get("gaps", []))


def spoiled(count: int, bad: int, **properties: Any) -> dict[Any, list[Row]]:
    found = rows(GROUPS, groups(count))
    found[EC2SecurityGroup.model][bad]["p"].update(properties)
    return found


# -- an error of the data


@pytest.mark.parametrize(
    "value",
    [2**63, 2**64 - 1, {"a": "map"}, [1, "two", [3]], {"a": 2**63}],
    ids=["2^63", "2^64-1", "map", "list", "both"],
)
def test_a_value_that_cannot_be_sent_costs_its_row_alone_and_nothing_waits_behind_it(
    sync: Sync, graph: Graph, value: object
) -> None:
    sync.run({GROUPS: [group("sg-2"), group("sg-gone")]})
    run = sync.start([GROUPS, ROLES])
    run.fetch(GROUPS, spoiled(5, bad=2, description=value))
    run.fetch(ROLES, rows(ROLES, [role("one")]))
    run.load()
    assert loaded(graph) == [f"sg-{number}" for number in range(5)]
    assert graph.rows("MATCH (g:EC2SecurityGroup {id: 'sg-2'}) RETURN g.lastupdated AS tag") == [{"tag": 1}]
    state, gap = ended(run)
    assert state is State.CLEANED
    assert gap.startswith("rejected: EC2SecurityGroup: ")
    assert ended(run, ROLES)[0] is State.CLEANED
    [row] = run.ledger.rejected_rows()
    assert (row.scope, row.model, row.key) == (GROUPS.id, "aws.ec2.security_groups:EC2SecurityGroup", "sg-2")


def test_a_key_that_cannot_be_sent_fails_its_scope_which_deletes_nothing(sync: Sync, graph: Graph) -> None:
    """What should be kept can't be marked either: no cleanup would be safe."""
    sync.run({GROUPS: [group("sg-gone")]})
    run = sync.start([GROUPS])
    found = rows(GROUPS, groups(3))
    found[EC2SecurityGroup.model][1]["k"] = 2**63  # type: ignore[typeddict-item]
    run.fetch(GROUPS, found)
    run.load()
    assert ended(run)[0] is State.FAILED
    assert loaded(graph) == ["sg-0", "sg-2", "sg-gone"]


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"no zlib",
        zlib.compress(b"\xc1"),
        zlib.compress(msgpack.packb({"no": "list"})),
        zlib.compress(msgpack.packb([["no", "row"]])),
        batch.compress([msgpack.packb({"k": "v", "p": {}, "r": [], "s": ROLES.id})]),
        batch.compress([msgpack.packb({"k": "v", "p": {}, "r": [], "s": GROUPS.id})])[:-3],
        zlib.compress(b"\xc6\x05\xf5\xe1\x00" + bytes(100_000_000)),
    ],
    ids=[
        "nothing",
        "no zlib",
        "no msgpack",
        "no list",
        "no row",
        "a row of another scope",
        "cut off",
        "100 MB of zeros",
    ],
)
def test_a_batch_that_cannot_be_read_fails_its_scope_which_deletes_nothing(
    sync: Sync, graph: Graph, payload: bytes
) -> None:
    sync.run({GROUPS: [group("sg-1")]})
    run = sync.start([GROUPS, ROLES])
    attempt = run.begin(GROUPS)
    name = wire_name(GROUPS.type, EC2SecurityGroup.model)
    run.ledger.push(attempt, number=0, model=name, rows=1, payload=payload)
    run.ledger.fetched(attempt, batches=1, outcome={})
    run.fetch(ROLES, rows(ROLES, [role("one")]))
    run.load()
    state, reason = ended(run)
    assert state is State.FAILED
    assert reason.startswith(f"a batch of {name} can't be read: ")
    assert ended(run, ROLES)[0] is State.CLEANED
    assert loaded(graph) == ["sg-1"]


def test_what_somebody_else_put_in_line_loads_and_deletes_nothing(
    sync: Sync, graph: Graph, broker: redis.Redis
) -> None:
    other = scope("aws.ec2.security_groups", "2222")
    sync.run({GROUPS: [group("sg-1")], other: [group("sg-2")]})
    run = sync.start([GROUPS])
    key, name = f"chartfleet:ledger:{run.ledger.run}", wire_name(GROUPS.type, EC2SecurityGroup.model)
    attempt = run.begin(GROUPS)
    forged = [f"{name}|1.0|0|{other.id}", f"{name}|one|two|{GROUPS.id}"]
    broker.sadd(f"{key}:models", name)
    broker.zadd(f"{key}:waiting:{name}", dict.fromkeys(forged, 0))
    for batch_name in forged:
        broker.set(f"{key}:payload:{batch_name}", batch.compress([]))
    broker.sadd(f"{key}:unit:{GROUPS.id}:out", forged[1])
    broker.sadd(f"{key}:cleanups", other.id, ROLES.id, "nonsense")
    run.ledger.fetched(attempt, batches=0, outcome={})
    run.load()
    assert (loaded(graph), loaded(graph, other)) == (["sg-1"], ["sg-2"])
    assert ended(run)[0] is State.PLANNED  # a batch that nobody signed counts as lost: the scope is fetched again
    run.fetch(GROUPS, {})
    run.load()
    assert (loaded(graph), loaded(graph, other)) == ([], ["sg-2"])
    assert ended(run)[0] is State.CLEANED


# -- an error that nobody understands


class Faulty(Writer):
    """A writer whose transactions fail for some statements, as Neo4j itself would report it."""

    def __init__(self, driver: neo4j.Driver, database: str | None, *, error: Neo4jError) -> None:
        super().__init__(driver, database)
        self.error = error
        self.failed = 0
        self.away = False
        self.is_faulty: Callable[[list[Any]], bool] = lambda rows: any(row.get("k") == "sg-2" for row in rows)

    def write(self, work: Callable[[neo4j.ManagedTransaction], Any]) -> Any:
        def watched(tx: neo4j.ManagedTransaction) -> Any:
            return work(_Watched(tx, self))  # type: ignore[arg-type]

        if self.away and self.failed:
            raise self.error
        return super().write(watched)


class _Watched:
    def __init__(self, tx: neo4j.ManagedTransaction, writer: Faulty) -> None:
        self._tx, self._writer = tx, writer

    def run(self, query: str, *arguments: Any, **parameters: Any) -> neo4j.Result:
        if "MERGE (n:EC2SecurityGroup" in query and self._writer.is_faulty(parameters["rows"]):
            self._writer.failed += 1
            raise self._writer.error
        return self._tx.run(query, *arguments, **parameters)


def unknown_error() -> Neo4jError:
    error = Neo4jError._hydrate_neo4j(code="Neo.DatabaseError.General.UnknownError", message="nobody knows why")
    assert isinstance(error, DatabaseError)
    return error


def test_a_batch_that_fails_again_and_again_is_set_aside_and_others_have_their_turn(
    services: embedded.Services, graph: Graph, broker: redis.Redis
) -> None:
    writer = Faulty(services.graph.driver(), services.graph.database, error=unknown_error())
    assert writer.acquire()
    run = Run(broker, writer, 1, [GROUPS, ROLES])
    run.fetch(GROUPS, rows(GROUPS, groups(5)))
    run.fetch(ROLES, rows(ROLES, [role("one")]))
    list(run.loader.drain(run.ledger, run.tag, stopping=lambda: bool(graph.rows("MATCH (r:AWSRole) RETURN r"))))
    assert (writer.failed, loaded(graph)) == (1, [])
    list(run.loader.drain(run.ledger, run.tag))
    assert loaded(graph) == ["sg-0", "sg-1", "sg-3", "sg-4"]
    assert ended(run)[0] is State.CLEANED
    assert [row.key for row in run.ledger.rejected_rows()] == ["sg-2"]
    assert writer.failed >= MAX_TRIES
    writer.close()


def test_a_graph_that_can_not_be_written_costs_no_batch_a_try(
    services: embedded.Services, graph: Graph, broker: redis.Redis
) -> None:
    full = Neo4jError._hydrate_neo4j(code="Neo.DatabaseError.Transaction.TransactionLogError", message="no space left")
    writer = Faulty(services.graph.driver(), services.graph.database, error=full)
    assert writer.acquire()
    run = Run(broker, writer, 1, [GROUPS])
    run.fetch(GROUPS, rows(GROUPS, groups(5)))
    writer.away = True
    for _ in range(2 * MAX_TRIES):
        with pytest.raises(DatabaseError, match="no space left"):
            run.load()
    taken = run.ledger.take(max_batches=10, max_bytes=10_000)
    assert taken
    assert taken.tries == 1
    writer.close()


def test_a_batch_that_ends_its_loader_each_time_is_set_aside_and_its_scope_deletes_nothing(
    sync: Sync, graph: Graph
) -> None:
    sync.run({GROUPS: [group("sg-1")]})
    run = sync.start([GROUPS])
    run.fetch(GROUPS, rows(GROUPS, groups(1)))
    for _ in range(MAX_TRIES):
        assert run.ledger.take(max_batches=10, max_bytes=10_000)  # and its process is killed
    run.load()
    state, reason = ended(run)
    assert state is State.FAILED
    assert reason.endswith("the loader ended 5 times with this batch")
    assert loaded(graph) == ["sg-1"]


# -- too much at once


def test_a_row_that_takes_longer_than_a_transaction_may_costs_itself_alone(
    services: embedded.Services, graph: Graph, broker: redis.Redis
) -> None:
    """Its node is locked by somebody else."""
    writer = Writer(services.graph.driver(), services.graph.database)
    assert writer.acquire()
    Sync(broker, writer).run({GROUPS: groups(8)})
    run = Run(broker, writer, 2, [GROUPS, ROLES])
    run.fetch(GROUPS, rows(GROUPS, groups(7)))
    run.fetch(ROLES, rows(ROLES, [role("one")]))
    writer._transaction_seconds = 2
    with locked(graph, "MATCH (n:EC2SecurityGroup {id: 'sg-3'}) SET n.held = true"):
        run.load()
    tags = {r["id"]: r["tag"] for r in graph.rows("MATCH (g:EC2SecurityGroup) RETURN g.id AS id, g.lastupdated AS tag")}
    seen = {f"sg-{number}": 2 for number in range(7)}
    assert tags == seen | {"sg-3": 1, "sg-7": 1}, "what couldn't be marked as not seen stops the cleanup of its scope"
    assert [row.key for row in run.ledger.rejected_rows()] == ["sg-3"]
    assert (ended(run)[0], ended(run, ROLES)[0]) == (State.FAILED, State.CLEANED)
    writer.close()


def timed_out() -> Neo4jError:
    code = "Neo.ClientError.Transaction.TransactionTimedOutClientConfiguration"
    return Neo4jError._hydrate_neo4j(code=code, message="took too long")


def slow(services: embedded.Services, *, above: int) -> Faulty:
    """For this writer, a transaction of more rows than this takes too long."""
    writer = Faulty(services.graph.driver(), services.graph.database, error=timed_out())
    writer.is_faulty = lambda of_statement: len(of_statement) > above
    assert writer.acquire()
    return writer


def test_what_takes_too_long_is_sent_in_smaller_transactions(
    services: embedded.Services, graph: Graph, broker: redis.Redis
) -> None:
    writer = slow(services, above=10)
    run = Run(broker, writer, 1, [GROUPS])
    run.fetch(GROUPS, rows(GROUPS, groups(100)))
    run.load()
    assert (len(loaded(graph)), ended(run)[0]) == (100, State.CLEANED)
    failed = writer.failed
    assert failed < 20
    later = Run(broker, writer, 2, [GROUPS])
    later.loader = run.loader
    later.fetch(GROUPS, rows(GROUPS, groups(100)))
    later.load()
    assert writer.failed == failed, "the loader knows now what fits"
    writer.close()


def test_where_nothing_fits_the_tries_are_bounded_and_the_scope_says_so(
    services: embedded.Services, graph: Graph, broker: redis.Redis
) -> None:
    writer = slow(services, above=0)
    run = Run(broker, writer, 1, [GROUPS, ROLES])
    attempt = run.begin(GROUPS)
    for number in range(4):
        run.push(attempt, number, EC2SecurityGroup.model, rows(GROUPS, groups(300))[EC2SecurityGroup.model])
    run.ledger.fetched(attempt, batches=4, outcome={})
    run.fetch(ROLES, rows(ROLES, [role("one")]))
    run.load()
    assert loaded(graph) == []
    assert writer.failed < 4 + 16 + 3 * 2 + 1, "of all together, of the first alone, of the others"
    assert "took too long" in ended(run)[1]
    assert ended(run, ROLES)[0] is State.CLEANED
    writer.close()


# -- chartfleet rejected


def chartfleet_rejected(services: embedded.Services, action: str, *ids: str, all_: bool = False) -> tuple[int, str]:
    settings = Settings.load({"broker_url": services.broker_url}, {})
    address = services.graph
    settings = settings.with_values(
        {"neo4j_uri": address.uri, "neo4j_user": address.user, "neo4j_password_env_var": "PASSWORD_OF_THE_GRAPH"},
        "test",
    )
    out = io.StringIO()
    with redirect_stdout(out):
        code = command.run(settings, Namespace(action=action, ids=list(ids), all=all_, run=None, json=action != "list"))
    return code, out.getvalue()


@pytest.fixture
def refused(sync: Sync, services: embedded.Services, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run that is over, with one row that the graph refused."""
    monkeypatch.setenv("PASSWORD_OF_THE_GRAPH", services.graph.password or "")
    run = sync.start([GROUPS])
    run.fetch(GROUPS, spoiled(3, bad=1, description=2**63))
    run.load()
    release_claim(sync.writer, run.ledger.run)
    sync.writer.release()
    return run


def test_rejected_rows_are_listed_and_shown(refused: Run, services: embedded.Services) -> None:
    code, text = chartfleet_rejected(services, "list")
    [row] = refused.ledger.rejected_rows()
    assert code == 0
    assert text.splitlines()[1].split("\t")[:4] == [row.id, GROUPS.id, "EC2SecurityGroup", "sg-1"]
    shown = json.loads(chartfleet_rejected(services, "show", row.id)[1])["rows"]
    assert [(found["key"], found["row"]["p"]["description"]) for found in shown] == [("sg-1", 2**63)]


def test_a_row_that_is_refused_again_stays_rejected(refused: Run, services: embedded.Services, graph: Graph) -> None:
    code, text = chartfleet_rejected(services, "retry", all_=True)
    assert (code, json.loads(text)["loaded"]) == (1, 0)
    assert len(refused.ledger.rejected_rows()) == 1
    assert loaded(graph) == ["sg-0", "sg-2"]


def test_a_row_is_loaded_again_through_the_writer(refused: Run, services: embedded.Services, graph: Graph) -> None:
    """What refused it has changed: here, the row itself."""
    [row] = refused.ledger.rejected_rows()
    assert row.row
    row.row["p"]["description"] = "fits"
    refused.ledger.replace_rejected(row)
    code, text = chartfleet_rejected(services, "retry", row.id)
    assert (code, json.loads(text)) == (0, {"run": refused.ledger.run, "loaded": 1, "refused": []})
    assert loaded(graph) == ["sg-0", "sg-1", "sg-2"]
    assert refused.ledger.rejected_rows() == []


def test_a_row_that_a_later_run_has_seen_again_is_not_loaded(
    refused: Run, services: embedded.Services, graph: Graph
) -> None:
    with held_by_run(graph, "later", 9), pytest.raises(RunRefused, match="run later holds the graph"):
        chartfleet_rejected(services, "retry", all_=True)
    release_claim(graph, "later")
    with pytest.raises(RunRefused, match="a later run has started"):
        chartfleet_rejected(services, "retry", all_=True)
    assert loaded(graph) == ["sg-0", "sg-2"]


def test_a_dropped_row_is_forgotten(refused: Run, services: embedded.Services) -> None:
    with pytest.raises(UsageError, match="name the rows to drop"):
        chartfleet_rejected(services, "drop")
    with pytest.raises(UsageError, match="no such rejected row"):
        chartfleet_rejected(services, "drop", "12345678")
    assert chartfleet_rejected(services, "drop", all_=True) == (0, "1 row dropped\n")
    assert refused.ledger.rejected_rows() == []
