"""CRXcavator: a report that can't be read costs what it would say; Okta: what an item doesn't have isn't its end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import redis

from loaders import indexes
from loaders.graph import Graph
from loaders.ledger import State
from loaders.writer import Writer
from tasks.engine import registry
from tests.contract import providers
from tests.contract.json_stand_in import JsonStandIn
from tests.contract.loading import Runs
from tests.contract.samples import scope_of
from tests.contract.stand_in import StandIn
from workers import embedded

EXTENSIONS, FACTORS = "crxcavator.extensions", "okta.factors"
INSTALLED, REPORT = "GET /group/users/extensions", "GET /report/{extension}/{version}"


@pytest.fixture
def stand_ins() -> Iterator[dict[str, StandIn]]:
    with ExitStack() as stack:
        yield {name: stack.enter_context(providers.running(name)) for name in ("crxcavator", "okta")}


@pytest.fixture
def runs(
    graph: Graph, services: embedded.Services, broker: redis.Redis, stand_ins: dict[str, StandIn]
) -> Iterator[Runs]:
    indexes.ensure(graph, registry.schema())
    writer = Writer(services.graph.driver(), services.graph.database)
    assert writer.acquire()
    yield Runs(writer, broker, stand_ins)
    writer.release()
    writer.close()


def gaps(runs: Runs, stand_ins: dict[str, StandIn], name: str, responses: dict[str, Any]) -> list[str]:
    """Of one run of the type; it is complete."""
    ledger = runs.load({name: responses})
    type_ = registry.types()[name]
    whole = ledger.unit(scope_of(type_, stand_ins[type_.provider]))
    assert whole
    assert whole.state is State.CLEANED
    units = [unit for unit in ledger.units() if unit.scope.type == name]
    ledger.forget()
    return sorted(text for unit in units for text in unit.outcome.get("gaps", {}))


def extensions(*versions: str, **odd: Any) -> dict[str, Any]:
    return {f"ext{v}": {v: odd.get(f"v{v}", {"name": f"E{v}", "users": ["ada@example.com"]})} for v in versions}


def report(total: Any) -> dict[str, Any]:
    return {"data": {"risk": {"total": total}, "webstore": {"name": "From the store"}}}


def shown(graph: Graph) -> dict[str, Any]:
    query = """
        MATCH (e:ChromeExtension)
        RETURN e.version AS version, e.risk_total AS risk, COUNT { (e)<-[:INSTALLS]-() } AS users ORDER BY version
    """
    return {row["version"]: (row["risk"], row["users"]) for row in graph.rows(query)}


def test_a_report_that_cant_be_read_costs_nothing_else(runs: Runs, graph: Graph, stand_ins: dict[str, StandIn]) -> None:
    reports = {v: report(int(v) * 100) for v in "1234"}
    assert gaps(runs, stand_ins, EXTENSIONS, {INSTALLED: [extensions("1", "2", "3", "4")], REPORT: reports}) == []
    assert shown(graph) == {v: (int(v) * 100, 1) for v in "1234"}

    odd = {"1": report(111), "2": {"message": "away"}, "3": report("high"), "5": {"data": None}}
    listed = extensions("1", "2", "3", "5", v3={"name": "E3", "users": None})
    told = gaps(runs, stand_ins, EXTENSIONS, {INSTALLED: [listed], REPORT: odd})
    assert shown(graph) == {"1": (111, 1), "2": (None, 1), "3": (None, 1), "5": (None, 1)}, "4 is gone"
    assert graph.rows("MATCH (e:ChromeExtension {version: '2'}) RETURN e.name AS name") == [{"name": "E2"}]
    assert any(REPORT in text for text in told)
    assert any("no list of users" in text for text in told)


def test_what_a_user_doesnt_have_is_not_his_end(runs: Runs, graph: Graph, stand_ins: dict[str, StandIn]) -> None:
    """`Not found: ...: ufs1 (UserFactor)` says nothing of the user."""

    def responses(*users: str) -> dict[str, Any]:
        factors = {user: [[{"id": f"f-{user}", "factorType": "sms", "provider": "OKTA"}]] for user in users}
        return {"GET /api/v1/users": [[{"id": user} for user in users]], "GET /api/v1/users/{id}/factors": factors}

    def factors() -> list[str]:
        return [row["id"] for row in graph.rows("MATCH (f:OktaUserFactor) RETURN f.id AS id ORDER BY id")]

    assert gaps(runs, stand_ins, FACTORS, responses("00u1", "00u2")) == []
    assert factors() == ["f-00u1", "f-00u2"]
    okta = stand_ins["okta"]
    assert isinstance(okta, JsonStandIn)
    for told, left in (("null (UserFactor)", ["f-00u1"]), ("00u1 (User)", [])):
        body = {"errorCode": "E0000007", "errorSummary": f"Not found: Resource not found: {told}"}
        okta.server.refuse("GET /api/v1/users/{id}/factors", 404, body=body)
        found = gaps(runs, stand_ins, FACTORS, responses("00u1"))
        assert factors() == left, "what isn't listed any more goes; of 00u1 it stays, until the user is gone"
        assert bool(found) is bool(left)
