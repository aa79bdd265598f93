"""From a simulated AWS over HTTP to the graph: fixtures for resources, fetching, and loading by the real writer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import boto3
import pytest
import redis

from loaders import indexes
from loaders.graph import Graph
from loaders.scope import GLOBAL
from loaders.writer import Writer
from tasks.aws.client import client as aws_client
from tasks.aws.client import credentials
from tasks.aws.client.client import AwsApi
from tasks.clients.rate_limiter import RedisRateLimiter
from tasks.engine import registry
from tasks.resource import Item, Per, Tenant
from tests.integration.runs import Sync, scope
from tests.servers.aws import AwsServer
from workers import embedded

ACCOUNT, REGION = "111122223333", "eu-west-1"

Client = Callable[..., Any]
Fetch = Callable[..., list[Item]]
Load = Callable[..., None]


@pytest.fixture(scope="package")
def simulator() -> Iterator[AwsServer]:
    with AwsServer() as server:
        yield server


@pytest.fixture
def aws(simulator: AwsServer, monkeypatch: pytest.MonkeyPatch) -> AwsServer:
    """A simulated AWS without any resources but those of AWS itself."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("AWS_ENDPOINT_URL", simulator.url)
    simulator.empty()
    simulator.reset()
    return simulator


@pytest.fixture(scope="package", autouse=True)
def indexed(services: embedded.Services) -> None:
    graph = Graph.at(services.graph)
    indexes.ensure(graph, registry.schema())
    graph.close()


@pytest.fixture
def client(aws: AwsServer) -> Client:
    """A boto3 client. In the simulator, the access key stands for the account."""

    def of(service: str, region: str = REGION, *, account: str = ACCOUNT) -> Any:
        keys = {"region_name": region, "aws_access_key_id": account, "aws_secret_access_key": "x"}
        return boto3.client(service, endpoint_url=aws.url, **keys)  # type: ignore[call-overload]

    return of


@pytest.fixture
def fetch(aws: AwsServer, broker: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> Fetch:
    """All items of a scope, in parts if it has parts."""

    def items(
        type_name: str, region: str = REGION, *, account: str = ACCOUNT, access: Mapping[str, str] | None = None
    ) -> list[Item]:
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", account)
        type_ = registry.types()[type_name]
        tenant = Tenant(provider="aws", id=account, access={"partition": "aws", **(access or {})})

        async def read() -> list[Item]:
            api = AwsApi(tenant, region if type_.per is Per.REGION else GLOBAL, RedisRateLimiter(broker), "aws")
            try:
                parts = type_.fetch.parts(api)
                names = [""] if parts is None else [part async for part in parts]
                return [item for part in names async for item in type_.fetch.items(api, part)]
            finally:
                await aws_client.close()
                credentials.forget(tenant.access)

        return asyncio.run(read())

    return items


@pytest.fixture
def sync(services: embedded.Services, graph: Graph, broker: redis.Redis) -> Iterator[Sync]:
    writer = Writer(services.graph.driver(), services.graph.database)
    assert writer.acquire()
    yield Sync(broker, writer)
    writer.close()


@pytest.fixture
def load(fetch: Fetch, sync: Sync) -> Load:
    def some(
        *types: str,
        regions: tuple[str, ...] = (REGION,),
        accounts: tuple[str, ...] = (ACCOUNT,),
        access: Mapping[str, str] | None = None,
    ) -> None:
        """One run over these types."""
        sync.run(
            {
                scope(type_, account, region): [
                    item.value for item in fetch(type_, region, account=account, access=access)
                ]
                for type_ in types
                for account in accounts
                for region in regions
            }
        )

    return some


def found(graph: Graph, query: str) -> set[tuple[Any, ...]]:
    return {tuple(row.values()) for row in graph.rows(query)}
