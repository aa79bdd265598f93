"""What GitHub doesn't show of an organization stays in the graph as it is, and what is gone goes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import redis

from analysis import links
from loaders import indexes
from loaders.graph import Graph
from loaders.ledger import Unit
from loaders.writer import Writer
from tasks.engine import registry
from tests.contract import providers
from tests.contract.json_stand_in import JsonStandIn
from tests.contract.loading import Runs
from tests.contract.providers.github import POINTS
from tests.contract.samples import scope_of
from tests.contract.stand_in import Responses, StandIn
from tests.servers.json_api import Reply
from workers import embedded

COLLABORATORS = "github.collaborators"
COLLABORATORS_CALL = "POST /graphql Collaborators"
THE_END = {"endCursor": None, "hasNextPage": False}


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    monkeypatch.setattr("tasks.clients.graphql_api.RETRY_SECONDS", (0.0,))
    with providers.running("github") as stand_in:
        yield stand_in


@pytest.fixture
def writer(graph: Graph, services: embedded.Services) -> Iterator[Writer]:
    indexes.ensure(graph, registry.schema())
    writer = Writer(services.graph.driver(), services.graph.database)
    assert writer.acquire()
    yield writer
    writer.release()
    writer.close()


@pytest.fixture
def runs(writer: Writer, broker: redis.Redis, github: StandIn) -> Runs:
    return Runs(writer, broker, {"github": github})


def run(runs: Runs, github: StandIn, **responses: Responses) -> Unit:
    """One run; how the scope of its last type ended."""
    types = {f"github.{name}": found for name, found in responses.items()}
    ledger = runs.load(types)
    unit = ledger.unit(scope_of(registry.types()[list(types)[-1]], github))
    assert unit is not None
    ledger.forget()
    return unit


def user(login: str) -> dict[str, Any]:
    named = {"url": f"https://github.com/{login}", "login": login, "name": None}
    return {**named, "email": f"{login}@example.com", "company": None, "isSiteAdmin": False}


def people(*logins: str) -> dict[str, Any]:
    return {"edges": [{"permission": "WRITE", "node": user(login)} for login in logins], "pageInfo": THE_END}


def repositories(**direct: dict[str, Any] | None) -> Responses:
    """By name: who may write."""
    listed = {"nodes": [{"id": name} for name in direct], "pageInfo": THE_END}
    found = {
        name: {"id": name, "url": f"https://github.com/example/{name}", "direct": may, "outside": people()}
        for name, may in direct.items()
    }
    return {
        "POST /graphql RepositoryIds": [{"organization": {"repositories": listed}}],
        COLLABORATORS_CALL: found,
        "POST /graphql MoreDirectCollaborators": {},
        "POST /graphql MoreOutsideCollaborators": {},
    }


def may_write(graph: Graph) -> list[str]:
    query = """
        MATCH (access:SyncGitHubCollaborator)-[:_TO]->(repository) MATCH (access)-[:_IS]->(user)
        RETURN split(repository.id, '/')[-1] + ' ' + user.username AS found ORDER BY found
    """
    return [row["found"] for row in graph.rows(query)]


def test_a_list_that_is_refused_stays_and_those_of_others_are_what_they_are(
    runs: Runs, graph: Graph, github: StandIn
) -> None:
    run(runs, github, collaborators=repositories(web=people("ada", "bob"), tool=people("ada", "bob")))
    responses = repositories(web=None, tool=people("ada"))
    found: Any = responses[COLLABORATORS_CALL]
    forbidden = {"type": "FORBIDDEN", "path": ["nodes", 0, "direct"], "message": "Must have push access"}
    body = {"data": {"nodes": list(found.values()), "rateLimit": POINTS}, "errors": [forbidden]}
    assert isinstance(github, JsonStandIn)
    github.lookups = {COLLABORATORS_CALL: lambda asked: Reply(body)}
    unit = run(runs, github, collaborators=responses)
    assert unit.outcome["gaps"] == [f"{COLLABORATORS_CALL}: direct: FORBIDDEN (1 item)"]
    assert may_write(graph) == ["tool ada", "web ada", "web bob"]


def test_whoever_is_passed_over_takes_nobody_with_him(runs: Runs, graph: Graph, github: StandIn) -> None:
    """An account that was deleted or suspended: null among those who may write."""
    with_null = people("ada", "bob")
    with_null["edges"].insert(1, None)
    unit = run(runs, github, collaborators=repositories(web=with_null))
    assert unit.outcome["gaps"] == [f"{COLLABORATORS_CALL}: direct: NULL (1 item)"]
    assert may_write(graph) == ["web ada", "web bob"]


def test_nothing_is_deleted_while_it_isnt_known_which_repository_is_hidden(
    runs: Runs, graph: Graph, github: StandIn
) -> None:
    run(runs, github, collaborators=repositories(web=people("ada", "bob"), tool=people("ada")))
    responses = repositories(web=people("ada"))
    listed: Any = responses["POST /graphql RepositoryIds"]
    listed[0]["organization"]["repositories"]["nodes"].append(None)
    with pytest.raises(AssertionError, match="ended denied: NULL POST /graphql RepositoryIds for 1 item"):
        run(runs, github, collaborators=responses)
    assert may_write(graph) == ["tool ada", "web ada", "web bob"]
    run(runs, github, collaborators=repositories(web=people("ada")))
    assert may_write(graph) == ["web ada"]


def test_members_hang_on_their_organization_however_its_login_is_spelled(
    runs: Runs, graph: Graph, github: StandIn, writer: Writer
) -> None:
    """It is configured as `example`."""
    told = {"url": "https://github.com/Example", "login": "Example", "name": None, "isVerified": False}
    organization: Responses = {
        "POST /graphql Organization": [{"organization": {**told, "requiresTwoFactorAuthentication": None}}]
    }
    edge = {"hasTwoFactorEnabled": None, "role": "ADMIN", "node": user("ada")}
    members = {"organization": {"membersWithRole": {"edges": [edge], "pageInfo": THE_END}}}
    run(runs, github, organization=organization, users={"POST /graphql Members": [members]})
    links.write(writer, registry.schema())
    query = "MATCH (:GitHubUser)-[e]->(o:GitHubOrganization) RETURN type(e) + ' ' + o.id AS found ORDER BY found"
    assert [row["found"] for row in graph.rows(query)] == [
        "ADMIN_OF https://github.com/Example",
        "MEMBER_OF https://github.com/Example",
    ]
    assert graph.rows("MATCH (o:GitHubOrganization) RETURN count(o) AS n") == [{"n": 1}]
