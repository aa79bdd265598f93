"""Runs over all providers: what the graph holds of each, what one that fails takes with it (nothing), how much each was
asked at a time. Each test goes on where the one before it stopped: as the runs of one fleet over one graph.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from demo import sample_queries
from loaders.graph import Graph
from tasks.crxcavator import api as crxcavator_api
from tasks.engine import registry
from tasks.gcp import api as gcp_api
from tasks.github import api as github_api
from tasks.gsuite import api as gsuite_api
from tasks.okta import api as okta_api
from tests.fleet.command import Command, Ended
from tests.fleet.running import AWS_KEYS, NEO4J_PASSWORD
from tests.fleet.short_lived_graph import empty
from tests.servers.aws import AwsServer
from tests.servers.company import Company, Size
from tests.servers.company.organization import Organization
from tests.servers.windows import Window
from workers import embedded

ACCOUNT = "123456789012"
AWS = ("--aws-regions", "us-east-1", "--aws-requested-syncs", "account,iam.roles")
IN_FLIGHT = {
    "okta": okta_api.SERVICE.in_flight,
    "gsuite": gsuite_api.POLICY.in_flight,
    "gcp": gcp_api.POLICY.in_flight,
    "github": github_api.SERVICE.in_flight,
    "crxcavator": crxcavator_api.SERVICE.in_flight,
}
SIZE = Size()  # as the demo has it


@dataclass(frozen=True)
class Fleet:
    """`chartfleet sync` with a company, a graph, and AWS."""

    command: Command
    company: Company
    graph: Graph
    flags: tuple[str, ...]

    def sync(self, *flags: str, **variables: str) -> Ended:
        return self.command("sync", "--json", *self.flags, *flags, **variables)

    def rows(self, query: str) -> list[Any]:
        """The one value of each row."""
        return [next(iter(row.values())) for row in self.graph.rows(query)]

    def owned(self) -> dict[str, int]:
        """Nodes that scopes own, by provider: whatever is deleted is missing here."""
        query = "MATCH (n) WHERE n._scope CONTAINS '/' RETURN split(n._scope, '.')[0] AS provider, count(n) AS n"
        return {row["provider"]: row["n"] for row in self.graph.rows(query)}


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsServer]:
    """An account with the role that a group of Okta is."""
    with AwsServer() as server:
        keys: dict[str, Any] = {"aws_access_key_id": ACCOUNT, "aws_secret_access_key": "x"}
        iam = boto3.client("iam", "us-east-1", endpoint_url=server.url, **keys)
        okta = iam.create_saml_provider(Name="okta", SAMLMetadataDocument="<x/>" * 300)["SAMLProviderArn"]
        trust = {"Effect": "Allow", "Principal": {"Federated": okta}, "Action": "sts:AssumeRoleWithSAML"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        iam.create_role(RoleName="engineer", AssumeRolePolicyDocument=policy)
        yield server


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory, aws: AwsServer, services: embedded.Services) -> Iterator[Fleet]:
    directory = tmp_path_factory.mktemp("all-providers")
    with closing(Graph.at(services.graph)) as graph, Company(SIZE) as company:
        empty(graph)
        keys = AWS_KEYS | {"AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_ENDPOINT_URL": aws.url}
        yield Fleet(Command(directory, keys | variables_of(company, directory, services)), company, graph, at(services))


def variables_of(company: Company, directory: Path, services: embedded.Services) -> dict[str, str]:
    return company.variables(directory) | {NEO4J_PASSWORD: services.graph.password or ""}


def at(services: embedded.Services) -> tuple[str, ...]:
    address = services.graph
    assert address.user
    return "--neo4j-uri", address.uri, "--neo4j-user", address.user, "--neo4j-password-env-var", NEO4J_PASSWORD


def why(ended: Ended) -> str:
    """What is wrong with a run that should be complete."""
    if not ended.out:
        return ended.err
    names = ("state", "reason", "not_seen", "gaps", "failed_jobs", "trouble")
    return "\n".join(f"{name}: {ended.json[name]}" for name in names)


def not_seen(ended: Ended) -> dict[str, set[str]]:
    """Provider -> how its scopes ended that weren't seen."""
    found: dict[str, set[str]] = {}
    for line in ended.json["not_seen"]:
        found.setdefault(line["type"].partition(".")[0], set()).add(line["status"])
    return found


def test_what_isnt_configured_is_left_out_and_told(fleet: Fleet) -> None:
    """CRXcavator alone: people it names are placeholders, by their e-mail addresses."""
    no_keys = dict.fromkeys((*AWS_KEYS, "GOOGLE_APPLICATION_CREDENTIALS"), "")
    no_gsuite = {"GSUITE_GOOGLE_APPLICATION_CREDENTIALS": "", "GSUITE_DELEGATED_ADMIN": ""}
    uri = ("--crxcavator-api-base-uri", fleet.company.url, "--crxcavator-api-key-env-var", "CRXCAVATOR_KEY")

    ended = fleet.sync(*uri, "--concurrency", "1", **no_keys, **no_gsuite)
    assert ended.code == 0, why(ended)
    told = ended.json["not_configured"]
    assert set(told) == set(registry.providers()) - {"crxcavator"}
    for provider, setting in {
        "aws": "AWS_ACCESS_KEY_ID",
        "gcp": "GOOGLE_APPLICATION_CREDENTIALS",
        "github": "github_config_env_var",
        "gsuite": "GSUITE_DELEGATED_ADMIN",
        "okta": "okta_api_key_env_var",
    }.items():
        assert setting in told[provider]
    assert set(fleet.owned()) == {"crxcavator"}
    installs = "MATCH (u:GSuiteUser)-[:INSTALLS]->(:ChromeExtension) RETURN count(DISTINCT u)"
    assert fleet.rows(installs) == [13]
    assert ended.json["findings"] == [], "nothing is judged of what nobody syncs"

    ended = fleet.sync(*uri, "--selected-modules", "crxcavator,gsuite", **no_keys, **no_gsuite)
    assert ended.code == 1
    assert f"gsuite: the variables {' and '.join(no_gsuite)} enable it" in ended.err


def test_one_run_has_them_all(fleet: Fleet) -> None:
    ended = fleet.sync(*AWS, *fleet.company.flags)
    assert ended.code == 0, why(ended)
    assert (ended.json["not_seen"], ended.json["gaps"], ended.json["not_configured"]) == ([], [], {})
    assert set(fleet.owned()) == set(registry.providers())
    skipped = {(line["type"], line["tenant"]) for line in ended.json["skipped"]}
    assert skipped == {("gcp.gke.clusters", "example-1")}, "a service that the project hasn't enabled"
    for provider, most in IN_FLIGHT.items():
        assert 0 < fleet.company.measured[provider].max_in_flight <= most, provider


def test_relationships_go_over_the_borders_of_providers(fleet: Fleet) -> None:
    may_assume = "MATCH (p:Human)-[:CAN_ASSUME_ROLE]->(r:AWSRole) RETURN p.email + ' ' + r.name"
    assert fleet.rows(may_assume) == ["ada@example.com engineer"]
    assert fleet.rows("MATCH (p:Human)-[:IDENTITY_GSUITE]->(u:GSuiteUser) RETURN count(u)") == [12]
    granted = "MATCH (u:GSuiteUser)-[:HAS_ALLOW_POLICY]->(b:GCPPolicyBinding) RETURN u.email + ' ' + b.resource"
    assert sorted(fleet.rows(granted)) == ["ada@example.com projects/example-0", "ada@example.com projects/example-1"]
    assert fleet.rows("MATCH (u:GSuiteUser) WHERE u.id IS NULL RETURN u.email") == ["guest@elsewhere.example"], (
        "GSuite has taken over the placeholders of its own people"
    )
    risky = """
        MATCH (user:GSuiteUser)-[:INSTALLS]->(extension:ChromeExtension) WHERE extension.risk_total > 200
        RETURN extension.name + ' ' + user.email ORDER BY user.email
    """
    assert fleet.rows(risky) == [
        "Page Saver ada@example.com",
        "Page Saver guest@elsewhere.example",
        "Page Saver person4@example.com",
        "Page Saver person8@example.com",
    ]


def test_the_page_of_sample_queries_has_their_responses(fleet: Fleet) -> None:
    assert sample_queries.differences(fleet.graph, sample_queries.PEOPLE) == []


def test_each_has_what_it_has(fleet: Fleet) -> None:
    nested = "MATCH (:GCPFolder {id: 'folders/11'})-[:RESOURCE]->(:GCPFolder)-[:RESOURCE]->(p:GCPProject) RETURN p.id"
    exposed = "MATCH (i:GCPInstance {exposed_internet: true}) RETURN i.instancename"
    assert fleet.rows(nested) == ["example-1"]
    assert fleet.rows(exposed) == ["web-0", "web-0"]
    assert fleet.rows("MATCH (c:GKECluster {exposed_internet: true}) RETURN c.name") == ["shop"]
    assert fleet.rows("MATCH (:OktaUser)-[:MEMBER_OF_OKTA_ROLE]->(role) RETURN role.id") == ["SUPER_ADMIN"]
    assert fleet.rows("MATCH (u:GitHubUser)-[:ADMIN_OF]->(:GitHubOrganization) RETURN u.username") == ["ada"]
    assert fleet.rows("MATCH (:GitHubRepository)-[:REQUIRES]->(d:GitHubDependency) RETURN count(d)") == [3]


def test_what_fails_takes_nothing_with_it(fleet: Fleet) -> None:
    """A wrong token, a server that is away, errors with 200, a project nothing may be seen of, lists that end half way:
    each is told, and nothing at all is deleted.
    """
    before = fleet.owned()
    away = ("--crxcavator-api-base-uri", "http://127.0.0.1:9")
    forbidden = {"data": None, "errors": [{"type": "FORBIDDEN", "path": ["organization"], "message": "SSO"}]}
    company = fleet.company
    company.refuse("POST /graphql Members", 200, body=forbidden, after=1, times=1000)
    company.refuse("POST /graphql RepositoryIds", 502, after=1, times=1000)
    company.refuse("GET /admin/directory/v1/users", 403, after=2, times=1000)
    company.denied_projects.add("example-1")
    ended = fleet.sync(*AWS, *company.flags, *away, OKTA_TOKEN="wrong-token")
    company.forgive()
    assert ended.code == 3
    assert not_seen(ended) == {
        "okta": {"denied"},
        "crxcavator": {"failed"},
        "github": {"denied", "failed"},
        "gsuite": {"denied"},
        "gcp": {"denied"},
    }
    assert {line["tenant"] for line in ended.json["not_seen"] if line["type"].startswith("gcp")} == {"example-1"}
    assert fleet.owned() == before
    assert "wrong-token" not in ended.out + ended.err


def test_a_list_of_projects_that_ends_half_way_deletes_none(fleet: Fleet) -> None:
    before = fleet.owned()
    denied = {"error": {"code": 403, "status": "PERMISSION_DENIED"}}
    fleet.company.refuse("GET /v3/projects", 403, body=denied, after=1, times=1000)
    ended = fleet.sync("--selected-modules", "gcp", "--concurrency", "1", *fleet.company.flags)
    fleet.company.forgive()
    assert ended.code == 3
    assert not_seen(ended) == {"gcp": {"denied"}}
    assert fleet.owned() == before


def test_two_organizations_keep_what_is_theirs(tmp_path: Path, fleet: Fleet, services: embedded.Services) -> None:
    """Another company's run, and one after it has shrunk: the people, groups and repositories that go are its own, and
    its project that isn't listed any more is kept for some runs.
    """
    modules = ("okta", "gsuite", "gcp", "github")
    first = fleet.owned()
    with Company(SIZE, organization=Organization("initech", 1)) as company:
        variables = variables_of(company, tmp_path, services)
        theirs = Fleet(Command(tmp_path, variables), company, fleet.graph, at(services))
        selected = ("--selected-modules", ",".join(modules), *company.flags)
        ended = theirs.sync(*selected)
        assert ended.code == 0, why(ended)
        assert {name: count - first[name] for name, count in fleet.owned().items() if name in modules} == {
            name: first[name] for name in modules
        }
        company.resize(Size(people=6, groups=2, projects=1, repositories=1))
        ended = theirs.sync(*selected)
        assert ended.code == 0, why(ended)
    assert {line["tenant"] for line in ended.json["kept"] if line["status"] == "retired"} == {"initech-1"}
    for label, ours, left in (
        ("OktaUser", 12, 6),
        ("OktaGroup", 3, 2),
        ("OktaUserFactor", 6, 3),
        ("GSuiteUser", 12, 6),
        ("GSuiteGroup", 3, 2),
        ("GCPProject", 2, 2),
        ("GitHubRepository", 3, 1),
        ("GitHubTeam", 1, 1),
        ("SyncGitHubMember", 12, 6),
    ):
        assert fleet.rows(f"MATCH (n:{label}) WHERE n._scope CONTAINS '/' RETURN count(n)") == [ours + left], label


def test_limits_slow_a_run_down_and_lose_nothing(
    tmp_path: Path, fleet: Fleet, aws: AwsServer, services: embedded.Services
) -> None:
    """So few calls a second that every provider refuses some: with 429, with 403, and with 200 and no points left."""
    windows = {
        "okta": Window(20, 2),
        "gsuite": Window(4, 1),
        "gcp": Window(20, 1),
        "github": Window(10, 2),
        "crxcavator": Window(1, 1),
    }
    empty(fleet.graph)
    with Company(SIZE, windows=windows) as company:
        limited = Fleet(
            Command(tmp_path, variables_of(company, tmp_path, services)), company, fleet.graph, at(services)
        )
        ended = limited.sync(*company.flags)
        assert ended.code == 0, why(ended)
    assert ended.json["not_seen"] == []
    assert limited.rows("MATCH (u:OktaUser) RETURN count(u)") == [12]
    assert limited.rows("MATCH (f:OktaUserFactor) RETURN count(f)") == [6]
    assert limited.rows("MATCH (r:GitHubRepository) RETURN count(r)") == [3]
    assert limited.rows("MATCH (i:GCPInstance) RETURN count(i)") == [4]
    assert limited.rows("MATCH (:GSuiteUser)-[m:MEMBER_GSUITE_GROUP]->() RETURN count(m)") == [12 + 6 + 4]
    assert company.refused["gsuite"] > 0
    assert company.refused["crxcavator"] > 0
    for provider, most in IN_FLIGHT.items():
        assert company.measured[provider].max_in_flight <= most, provider
        assert company.measured[provider].early == 0, f"{provider} was called while told to wait"
