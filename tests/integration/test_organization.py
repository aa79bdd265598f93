"""The demo's organization, synced into a Neo4j that is given by its address: the same by however many workers, and
every query of docs/sample-queries.md with the response that the page states.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from demo import organization, sample_queries
from demo.inventory import ACCOUNT, REGIONS
from demo.organization import EXTERNAL_ID, READER
from loaders.graph import Graph
from tests.fleet.command import Command, Ended
from tests.fleet.graph_state import State, difference, graph_state
from tests.fleet.running import NEO4J_PASSWORD
from tests.fleet.short_lived_graph import empty
from tests.servers.aws import AwsServer, Effect, Fault
from workers import embedded

WORKERS = (1, 2, 8)


@pytest.fixture(scope="module")
def aws() -> Iterator[AwsServer]:
    with AwsServer() as server:
        organization.fill(server.url)
        server.add(Fault(Effect.DENY, service="ec2", region="eu-south-1", account=ACCOUNT))
        yield server


def sync(aws: AwsServer, services: embedded.Services, directory: Path, workers: int) -> Ended:
    address = services.graph
    assert address.user
    keys = {"AWS_ACCESS_KEY_ID": ACCOUNT, "AWS_SECRET_ACCESS_KEY": "x", "AWS_ENDPOINT_URL": aws.url}
    chartfleet = Command(directory, keys | {NEO4J_PASSWORD: address.password or ""})
    return chartfleet(
        *("--neo4j-uri", address.uri, "--neo4j-user", address.user, "--neo4j-password-env-var", NEO4J_PASSWORD),
        *("--aws-assume-role", READER, "--aws-external-id", EXTERNAL_ID, "--aws-regions", ",".join(REGIONS)),
        *("--concurrency", str(workers), "--quiet"),
    )


@pytest.mark.long
@pytest.mark.timeout(600)
def test_the_same_estate_gives_the_same_graph_and_every_sample_query_its_response(
    aws: AwsServer, services: embedded.Services, graph: Graph, tmp_path: Path
) -> None:
    states: dict[int, State] = {}
    for workers in WORKERS:
        empty(graph)
        ended = sync(aws, services, tmp_path, workers)
        assert ended.code == 3, ended.err  # complete, but for the region that is denied
        states[workers] = graph_state(graph)
        assert sample_queries.differences(graph) == []
    first, *others = states.values()
    assert all(difference(other, first) == [] for other in others)


def test_every_query_of_the_page_states_an_response() -> None:
    assert len(sample_queries.read()) >= 12
