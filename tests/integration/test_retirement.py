"""What a run did not plan: kept where it wasn't selected; retired, and in time deleted, where its own list lost it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from loaders import coverage, retirement
from loaders.graph import Graph
from loaders.ledger import State, Unit
from loaders.retirement import Kept, Lists
from loaders.scope import ALL_REGIONS, Scope, regions_type, tenants_type
from loaders.writer import claim
from tasks.engine import registry
from tests.fleet import ledger_records
from tests.integration.runs import scope
from workers import embedded
from workers.commands.forget import forget
from workers.settings.settings import Settings

VPCS, ELSEWHERE, USERS = scope("aws.ec2.vpcs"), scope("aws.ec2.vpcs", region="us-east-1"), scope("aws.iam.users")
OTHER = scope("aws.ec2.vpcs", "2222")
TENANTS = Scope(type=tenants_type("aws"), tenant="aws")


pytestmark = pytest.mark.usefixtures("indexed")


def regions_of(tenant: str) -> Scope:
    return Scope(type=regions_type("aws"), tenant=tenant)


def unit(of: Scope, state: State = State.CLEANED, *, whole: bool = False, owner: str = "") -> Unit:
    return ledger_records.unit(of, state=state, outcome={"whole": whole, "owner": owner})


def run_of(graph: Graph, tag: int, units: Iterable[Unit], *, keep: int = 2) -> list[Kept]:
    """The coverage of a run, and what it makes of the scopes that it did not plan."""
    units = list(units)
    for each in units:
        hold(graph, each.scope, tag)
    coverage.write(graph, ledger_records.run_info(f"run-{tag}", tag), units, now_ms=tag)
    return retirement.retire(graph, registry.schema(), retirement.lists(units), tag, keep=keep)


def hold(graph: Graph, of: Scope, tag: int) -> None:
    """A node that the scope owns."""
    if of.type == "aws.ec2.vpcs":
        query = "MERGE (v:AWSVpc {id: $scope}) SET v._scope = $scope, v.lastupdated = $tag"
        graph.write(lambda tx: tx.run(query, scope=of.id, tag=tag).consume())


def held(graph: Graph) -> set[Scope]:
    return {Scope.parse(row["scope"]) for row in graph.rows("MATCH (v:AWSVpc) RETURN v._scope AS scope")}


def state(graph: Graph, of: Scope) -> dict[str, Any] | None:
    found = graph.rows("MATCH (s:SyncScope {id: $id}) RETURN s{.*} AS scope", {"id": of.id})
    return found[0]["scope"] if found else None


BOTH = [unit(regions_of("1111"), whole=True), unit(VPCS), unit(ELSEWHERE), unit(USERS)]
ONE = [unit(regions_of("1111"), whole=True), unit(VPCS), unit(USERS)]


def test_a_region_that_is_no_longer_enabled_is_kept_for_some_runs_and_then_deleted(graph: Graph) -> None:
    run_of(graph, 1, BOTH)
    why = "us-east-1 is no longer enabled in 1111"
    retired = Kept(tenant="1111", region="us-east-1", status="retired", reason=why, scopes=1)
    assert run_of(graph, 2, ONE) == [retired]
    assert run_of(graph, 2, ONE) == [retired], "the barrier may come to it twice"
    assert run_of(graph, 3, ONE) == [retired]
    assert held(graph) == {VPCS, ELSEWHERE}
    assert (state(graph, ELSEWHERE) or {})["retired_runs"] == 2
    assert run_of(graph, 4, ONE) == []
    assert held(graph) == {VPCS}
    assert state(graph, ELSEWHERE) is None


def test_a_region_that_comes_back_is_as_if_it_had_never_gone(graph: Graph) -> None:
    run_of(graph, 1, BOTH)
    run_of(graph, 2, ONE)
    run_of(graph, 3, BOTH)
    found = state(graph, ELSEWHERE)
    assert found
    assert (found["status"], "retired_runs" in found) == ("complete", False)
    assert len(run_of(graph, 4, ONE)) == 1
    assert (state(graph, ELSEWHERE) or {})["retired_runs"] == 1


@pytest.mark.parametrize(
    "planner",
    [unit(regions_of("1111")), unit(regions_of("1111"), State.DENIED), unit(regions_of("1111"), State.FAILED)],
    ids=["regions by a setting", "list denied", "list failed"],
)
def test_what_was_merely_not_selected_is_kept_for_ever_and_said(graph: Graph, planner: Unit) -> None:
    run_of(graph, 1, BOTH)
    kept = Kept(tenant="1111", region="us-east-1", status="not selected", reason="", scopes=1)
    for tag in range(2, 6):
        assert run_of(graph, tag, [planner, unit(VPCS), unit(USERS)]) == [kept]
    assert held(graph) == {VPCS, ELSEWHERE}
    assert (state(graph, ELSEWHERE) or {})["status"] == "complete"


def test_a_type_that_was_not_selected_is_not_gone(graph: Graph) -> None:
    run_of(graph, 1, BOTH)
    [kept] = run_of(graph, 2, [unit(regions_of("1111"), whole=True), unit(VPCS), unit(ELSEWHERE)])
    assert (kept.status, kept.region, kept.scopes) == ("not selected", "global", 1)


def test_very_many_places_are_told_by_tenant(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    run_of(graph, 1, BOTH)
    monkeypatch.setattr(retirement, "MAX_PLACES", 1)
    [kept] = run_of(graph, 2, [unit(VPCS)])
    assert (kept.tenant, kept.region, kept.scopes) == ("1111", ALL_REGIONS, 2)


def test_a_tenant_is_retired_only_by_a_whole_list_of_tenants(graph: Graph) -> None:
    both = [*ONE, unit(regions_of("2222"), whole=True), unit(OTHER)]
    run_of(graph, 1, [unit(TENANTS, whole=True), *both])
    [*kept] = run_of(graph, 2, [unit(TENANTS), *ONE])
    assert {one.status for one in kept} == {"not selected"}
    [*kept] = run_of(graph, 3, [unit(TENANTS, whole=True), *ONE])
    assert {(one.tenant, one.status, one.reason) for one in kept} == {("2222", "retired", "2222 is no longer listed")}


def test_a_list_retires_only_what_stood_in_a_list_of_the_same_owner(graph: Graph) -> None:
    """Two organizations in one graph, or an account that a profile reaches: not seen by this run, and not gone."""
    one = [unit(TENANTS, whole=True, owner="o-one"), *ONE]
    other = [unit(TENANTS, whole=True, owner="o-other"), unit(regions_of("2222"), whole=True), unit(OTHER)]
    run_of(graph, 1, one)
    run_of(graph, 2, other)
    for tag in range(3, 8):
        assert {kept.status for kept in run_of(graph, tag, one)} == {"not selected"}
    assert held(graph) == {VPCS, OTHER}
    nobody = [unit(TENANTS, whole=True, owner="o-other")]
    assert {(kept.tenant, kept.status) for kept in run_of(graph, 8, nobody)} == {
        ("1111", "not selected"),
        ("2222", "retired"),
    }
    run_of(graph, 9, nobody)
    run_of(graph, 10, nobody)
    assert held(graph) == {VPCS}
    assert state(graph, regions_of("2222")) is None


def test_a_scope_whose_type_nobody_declares_stays(graph: Graph) -> None:
    unknown = Scope(type="aws.ec2.moons", tenant="1111", region="us-east-1")
    run_of(graph, 1, [*ONE, unit(unknown)])
    for tag in (2, 3, 4):
        run_of(graph, tag, ONE)
    assert (state(graph, unknown) or {})["status"] == "retired"


def test_lists_hold_what_was_listed_whole() -> None:
    units = [unit(TENANTS), *BOTH, unit(regions_of("2222")), unit(OTHER)]
    assert retirement.lists(units) == Lists({}, {("aws", "1111"): {"eu-west-1", "us-east-1", "global"}})


# -- forget


def test_a_tenant_is_forgotten_with_all_it_had(graph: Graph, services: embedded.Services) -> None:
    settings = Settings.load({}, {})
    run_of(graph, 1, [*ONE, unit(regions_of("2222")), unit(OTHER)])
    claim(graph, run="run-1", tag=1, resume=False, lease_seconds=0)
    graph.write(lambda tx: tx.run("MATCH (g:SyncGraph) REMOVE g.run, g.writer").consume())
    findings = "UNWIND ['aws/1111', 'aws/2222', 'aws/2222'] AS tenant CREATE (:SyncFinding {tenant: tenant})"
    graph.write(lambda tx: tx.run(findings).consume())
    for nobody in ("3333", "gcp/2222"):
        assert forget(services.graph, graph, nobody, settings).scopes == 0
    forgotten = forget(services.graph, graph, "aws/2222", settings)
    assert (forgotten.scopes, forgotten.deleted) == (2, 1)
    assert held(graph) == {VPCS}
    assert state(graph, OTHER) is None
    assert graph.rows("MATCH (f:SyncFinding) RETURN f.tenant AS tenant") == [{"tenant": "aws/1111"}]
    [kept] = graph.rows("MATCH (g:SyncGraph) RETURN g.tag AS tag, g.run AS run, g.writer AS writer")
    assert kept == {"tag": 1, "run": None, "writer": None}
