"""One run over all providers: what the graph holds of each, what one that fails takes with it (nothing), and how much
each was asked at a time.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from loaders.graph import Graph
from tasks import registry
from tasks.crxcavator import api as crxcavator_api
from tasks.gcp import api as gcp_api
from tasks.github import api as github_api
from tasks.gsuite import api as gsuite_api
from tasks.okta import api as okta_api
from tests.fleet.command import Command, Ended
from tests.fleet.running import AWS_KEYS, NEO4J_PASSWORD
from tests.servers.aws import AwsServer
from tests.servers.company import Company, Size
from tests.servers.company import github as github_server
from tests.servers.windows import Window
from workers import embedded

ACCOUNT = "123456789012"
AWS = ("--aws-regions", "us-east-1", "--aws-requested-syncs", "account,iam.roles")
IN_FLIGHT = {
    "okta": okta_api.SERVICE.in_flight,
    "gsuite": gsuite_api.TERMS.in_flight,
    "gcp": gcp_api.TERMS.in_flight,
    "github": github_api.SERVICE.in_flight,
    "crxcavator": crxcavator_api.SERVICE.in_flight,
}

Sync = Callable[..., Ended]


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsServer]:
    """An account with the role that a group of Okta is."""
    with AwsServer() as server:
        keys = {"aws_access_key_id": ACCOUNT, "aws_secret_access_key": "x"}
        iam = boto3.client("iam", "us-east-1", endpoint_url=server.url, **keys)
        iam.create_role(
            RoleName="deploy", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": []})
        )
        yield server


@pytest.fixture
def company() -> Iterator[Company]:
    with Company(Size(people=9, groups=3, projects=2, repositories=3)) as company:
        yield company


@pytest.fixture
def sync(tmp_path: Path, aws: AwsServer, company: Company, services: embedded.Services, graph: Graph) -> Sync:
    """`chartfleet sync` of everything, with these flags besides; a variable that is "" is none."""
    keys = AWS_KEYS | {"AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_ENDPOINT_URL": aws.url}
    command = Command(tmp_path, keys | company.variables(tmp_path) | {NEO4J_PASSWORD: services.graph.password or ""})
    address = services.graph
    at_graph = (
        "--neo4j-uri",
        address.uri,
        "--neo4j-user",
        str(address.user),
        "--neo4j-password-env-var",
        NEO4J_PASSWORD,
    )

    def run(*flags: str, **variables: str) -> Ended:
        return command("sync", "--json", *at_graph, *AWS, *company.flags, *flags, **variables)

    return run


def at(services: embedded.Services) -> list[str]:
    address = services.graph
    assert address.user
    return ["--neo4j-uri", address.uri, "--neo4j-user", address.user, "--neo4j-password-env-var", NEO4J_PASSWORD]


def why(ended: Ended) -> str:
    """What is wrong with a run that should be complete."""
    if not ended.out:
        return ended.err
    names = ("state", "reason", "not_seen", "gaps", "failed_jobs", "trouble")
    return "\n".join(f"{name}: {ended.json[name]}" for name in names)


def counts(graph: Graph) -> dict[str, int]:
    """Of each provider, the nodes that its scopes own, and that nobody deleted."""
    query = "MATCH (n) WHERE n._scope CONTAINS '/' RETURN split(n._scope, '.')[0] AS provider, count(n) AS n"
    return {row["provider"]: row["n"] for row in graph.rows(query)}


def rows(graph: Graph, query: str) -> list[Any]:
    return [next(iter(row.values())) for row in graph.rows(query)]


def not_seen(report: dict[str, Any]) -> set[str]:
    return {line["type"].partition(".")[0] for line in report["not_seen"]}


def test_one_run_has_them_all(sync: Sync, company: Company, graph: Graph) -> None:
    ended = sync()
    assert ended.code == 0, why(ended)
    report = ended.json
    assert (report["not_seen"], report["gaps"], report["not_configured"]) == ([], [], {})
    assert set(counts(graph)) == set(registry.providers())
    skipped = {(line["type"], line["tenant"]) for line in report["skipped"]}
    assert skipped == {("gcp.gke.clusters", "example-1")}, "a service that the project hasn't enabled"

    # over the borders of providers
    may_assume = "MATCH (p:Human)-[:CAN_ASSUME_ROLE]->(r:AWSRole) RETURN p.email + ' ' + r.name"
    assert rows(graph, may_assume) == ["ada@example.com deploy"]
    assert rows(graph, "MATCH (p:Human)-[:IDENTITY_GSUITE]->(u:GSuiteUser) RETURN count(u)") == [9]
    granted = "MATCH (u:GSuiteUser)-[:HAS_ALLOW_POLICY]->(b:GCPPolicyBinding) RETURN u.email + ' ' + b.resource"
    assert sorted(rows(graph, granted)) == [
        "ada@example.com projects/example-0",
        "ada@example.com projects/example-1",
    ]
    risky = """
        MATCH (user:GSuiteUser)-[:INSTALLS]->(extension:ChromeExtension) WHERE extension.risk_total > 200
        RETURN extension.name + ' ' + user.email ORDER BY user.email
    """
    assert rows(graph, risky) == [
        "Page Saver ada@example.com",
        "Page Saver guest@elsewhere.example",
        "Page Saver person4@example.com",
        "Page Saver person8@example.com",
    ]

    # within them
    nested = "MATCH (:GCPFolder {id: 'folders/11'})-[:RESOURCE]->(:GCPFolder)-[:RESOURCE]->(p:GCPProject) RETURN p.id"
    assert rows(graph, nested) == ["example-1"]
    assert rows(graph, "MATCH (i:GCPInstance {exposed_internet: true}) RETURN i.instancename") == ["web-0", "web-0"]
    assert rows(graph, "MATCH (c:GKECluster {exposed_internet: true}) RETURN c.name") == ["shop"]
    assert rows(graph, "MATCH (:OktaUser)-[:MEMBER_OF_OKTA_ROLE]->(role) RETURN role.id") == ["SUPER_ADMIN"]
    assert rows(graph, "MATCH (u:GitHubUser)-[:ADMIN_OF]->(:GitHubOrganization) RETURN u.username") == ["ada"]
    assert rows(graph, "MATCH (:GitHubRepository)-[:REQUIRES]->(d:GitHubDependency) RETURN count(d)") == [3]

    assert "never-kept" not in str(graph.rows("MATCH (n) RETURN properties(n) AS p"))
    for provider, most in IN_FLIGHT.items():
        assert 0 < company.measured[provider].max_in_flight <= most, provider


def test_what_isnt_configured_is_left_out_and_told(sync: Sync, company: Company, graph: Graph) -> None:
    off = ("GSUITE_GOOGLE_APPLICATION_CREDENTIALS", "GSUITE_DELEGATED_ADMIN")
    ended = sync(**dict.fromkeys(off, ""))
    assert ended.code == 0, why(ended)
    told = ended.json["not_configured"]
    assert list(told) == ["gsuite"]
    assert all(name in told["gsuite"] for name in off)
    assert set(counts(graph)) == set(registry.providers()) - {"gsuite"}
    installs = "MATCH (u:GSuiteUser)-[:INSTALLS]->(:ChromeExtension) RETURN count(DISTINCT u)"
    assert rows(graph, installs) == [10], "placeholders, by e-mail address"

    ended = sync("--selected-modules", "crxcavator,gsuite", **dict.fromkeys(off, ""))
    assert ended.code == 1
    assert (
        "gsuite: the variables GSUITE_GOOGLE_APPLICATION_CREDENTIALS and GSUITE_DELEGATED_ADMIN turn it on" in ended.err
    )

    sync()  # GSuite takes the placeholders over
    assert rows(graph, installs) == [10]
    assert rows(graph, "MATCH (u:GSuiteUser) WHERE u.id IS NULL RETURN u.email") == ["guest@elsewhere.example"]


def test_a_provider_that_fails_takes_nothing_with_it(sync: Sync, company: Company, graph: Graph) -> None:
    """Wrong tokens: each is told, nothing of theirs is deleted, and the others are complete."""
    assert sync().code == 0
    before = counts(graph)
    wrong = {"token": "wrong", "url": f"{company.url}/graphql", "name": github_server.ORGANIZATION}
    configuration = base64.b64encode(json.dumps({"organization": [wrong]}).encode()).decode()
    ended = sync(OKTA_TOKEN="wrong", GITHUB_CONFIG=configuration, CRXCAVATOR_KEY="wrong")
    assert ended.code == 3
    assert not_seen(ended.json) == {"okta", "github", "crxcavator"}
    assert all(line["status"] == "denied" for line in ended.json["not_seen"])
    assert counts(graph) == before
    assert "wrong" not in ended.out.replace("not-a-secret", "")


def test_a_provider_that_is_away_takes_nothing_with_it(sync: Sync, graph: Graph) -> None:
    assert sync().code == 0
    before = counts(graph)
    ended = sync("--crxcavator-api-base-uri", "http://127.0.0.1:9")
    assert ended.code == 3
    (line,) = ended.json["not_seen"]
    assert (line["type"], line["status"]) == ("crxcavator.extensions", "failed")
    assert counts(graph) == before


def test_a_list_that_fails_half_way_deletes_nothing(sync: Sync, company: Company, graph: Graph) -> None:
    """Of an organization's repositories and a project's accounts the first half is there; then the server fails."""
    assert sync().code == 0
    before = counts(graph)
    company.size = Size(people=9, groups=3, projects=2, repositories=3)
    for action in ("POST /graphql RepositoryIds", "GET /v3/projects", "GET /api/v1/users"):
        company.refuse(action, 500, times=1000)
    ended = sync()
    assert ended.code == 3
    assert not_seen(ended.json) == {"github", "gcp", "okta"}
    assert counts(graph) == before


def test_limits_slow_a_run_down_and_lose_nothing(
    tmp_path: Path, aws: AwsServer, services: embedded.Services, graph: Graph
) -> None:
    """So few calls a second that every provider refuses some: with 429, with 403, and with 200 and no points left."""
    windows = {
        "okta": Window(20, 2),
        "gsuite": Window(4, 1),
        "gcp": Window(20, 1),
        "github": Window(10, 2),
        "crxcavator": Window(1, 1),
    }
    with Company(Size(people=9, groups=3, projects=2, repositories=3), windows=windows) as company:
        variables = company.variables(tmp_path) | {NEO4J_PASSWORD: services.graph.password or ""}
        address = services.graph
        where = (
            "--neo4j-uri",
            address.uri,
            "--neo4j-user",
            str(address.user),
            "--neo4j-password-env-var",
            NEO4J_PASSWORD,
        )
        ended = Command(tmp_path, variables)("sync", "--json", *where, *company.flags)
        assert ended.code == 0, why(ended)
        assert ended.json["not_seen"] == []
        assert rows(graph, "MATCH (u:OktaUser) RETURN count(u)") == [9]
        assert rows(graph, "MATCH (f:OktaUserFactor) RETURN count(f)") == [5]
        assert rows(graph, "MATCH (r:GitHubRepository) RETURN count(r)") == [3]
        assert rows(graph, "MATCH (i:GCPInstance) RETURN count(i)") == [4]
        assert rows(graph, "MATCH (:GSuiteUser)-[m:MEMBER_GSUITE_GROUP]->() RETURN count(m)") == [9 + 5 + 3]
        for provider, most in IN_FLIGHT.items():
            assert company.measured[provider].max_in_flight <= most, provider
            assert company.measured[provider].early == 0, f"{provider} was called while told to wait"
