"""`chartfleet export`: what its file says of attack paths, and of what was not seen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from loaders import coverage
from loaders.graph import Graph
from loaders.ledger import State
from loaders.scope import Scope
from tests.contract import opengraph_rules
from tests.fleet.command import Command
from tests.fleet.ledger_records import run_info, unit
from tests.fleet.running import graph_variables
from workers import embedded

ACCOUNT = "111122223333"
IAM = f"arn:aws:iam::{ACCOUNT}:"
ROLES = Scope(type="aws.iam.roles", tenant=ACCOUNT)
ROLE = f"{IAM}role/Deploy"


@pytest.fixture
def chartfleet(tmp_path: Path, services: embedded.Services, graph: Graph) -> Command:
    return Command(tmp_path, graph_variables(services.graph))


@pytest.fixture
def role_that_writes_its_policy(graph: Graph) -> None:
    query = """
        CREATE (a:AWSAccount {id: $account})-[:RESOURCE]->(r:AWSPrincipal:AWSRole {
                 arn: $arn, name: 'Deploy', _scope: $scope, lastupdated: 7, secret_of_another_tool: 'x'})
               -[:POLICY {_scope: $scope}]->(p:AWSPolicy {id: $policy, type: 'inline', _scope: $scope, lastupdated: 7})
               -[:STATEMENT {_scope: $scope}]->(:AWSPolicyStatement {
                 id: $policy + '/1', effect: 'Allow', action: ['iam:PutRolePolicy'], resource: [$arn], _scope: $scope})
    """
    values = {"account": ACCOUNT, "arn": ROLE, "scope": ROLES.id, "policy": f"{ROLE}/inline_policy/own"}
    graph.write(lambda tx: tx.run(query, values).consume())


def recorded(graph: Graph, **fields: Any) -> None:
    """A run that left this coverage of the roles."""
    info = run_info("7-run", 7, created_ms=1_790_000_000_000)
    coverage.write(graph, info, [unit(ROLES, **fields)], now_ms=1_790_000_100_000)


def exported(chartfleet: Command) -> dict[str, Any]:
    ended = chartfleet("export", "--opengraph", "graph.json")
    assert ended.code == 3, ended.err  # the other types of IAM were never read
    document: dict[str, Any] = json.loads((chartfleet.cwd / "graph.json").read_text())
    opengraph_rules.check(document)
    return document["graph"]  # type: ignore[no-any-return]


@pytest.mark.usefixtures("role_that_writes_its_policy")
def test_an_attack_path_ends_at_its_account(chartfleet: Command, graph: Graph) -> None:
    recorded(graph)
    found = exported(chartfleet)
    edges = {(edge["start"]["value"], edge["kind"]): edge for edge in found["edges"]}
    [becomes] = [edge for (_, kind), edge in edges.items() if kind == "CAN_BECOME"]
    assert becomes["start"]["value"] == f"AWSPrincipal:{ROLE}"
    assert becomes["properties"]["way"] == "iam-005"
    assert becomes["properties"]["seen_at"] == "2026-09-21T14:15:00Z"
    administers = edges[becomes["end"]["value"], "ADMINISTERS"]
    assert administers["end"]["value"] == f"AWSAccount:{ACCOUNT}"
    [role] = [node for node in found["nodes"] if node["id"] == f"AWSPrincipal:{ROLE}"]
    assert role["kinds"] == ["AWSRole", "AWSPrincipal"]
    assert role["properties"]["seen_at"] == "2026-09-21T14:13:20Z"
    assert "secret_of_another_tool" not in role["properties"]


def test_what_was_not_seen_is_in_the_file(chartfleet: Command, graph: Graph) -> None:
    recorded(graph, state=State.DENIED, reason="AccessDenied iam:ListRoles")
    names = [node["properties"]["name"] for node in exported(chartfleet)["nodes"]]
    assert f"not seen: aws.iam.roles/{ACCOUNT}/global: AccessDenied iam:ListRoles" in names
    assert "not seen: aws.iam.users: never seen" in names
    assert not [name for name in names if "okta" in name]  # nobody asked for it


def test_without_a_run_there_is_nothing_to_export(chartfleet: Command) -> None:
    ended = chartfleet("export", "--opengraph", "graph.json")
    assert (ended.code, ended.error) == (1, "chartfleet: no run has ended yet: `chartfleet sync` starts one")
    assert list(chartfleet.cwd.iterdir()) == []


@pytest.mark.usefixtures("role_that_writes_its_policy")
def test_what_was_not_judged_is_not_taken_for_proven(chartfleet: Command, graph: Graph) -> None:
    recorded(graph)
    graph.write(lambda tx: tx.run("MATCH (p:AWSPolicy) REMOVE p.type").consume())  # a stub has none
    edges = exported(chartfleet)["edges"]
    of_role = [edge for edge in edges if edge["start"]["value"] == f"AWSPrincipal:{ROLE}"]
    assert {edge["kind"] for edge in of_role} == {"MAY_BECOME", "MAY_ADMINISTER"}
    for edge in of_role:
        assert edge["properties"]["verdict"] == "not judged"
        assert edge["properties"]["not_read"] == [f"{ROLE}/inline_policy/own"]
