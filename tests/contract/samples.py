"""The sample answers of the resource types: where they lie, half of them, the rows that they become."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import redis

from loaders.batch import Row
from loaders.model import IdLink, NodeModel, Reference, Relationship, Source
from loaders.scope import GLOBAL, Scope
from tasks.aws import api
from tasks.aws.api import AwsApi, result_paths
from tasks.failures import BadItem
from tasks.listing import Listing
from tasks.rate_budget import RateBudget
from tasks.resource import Fetch, Item, Per, ResourceType, Tenant
from tasks.rows import rows_of
from tests.contract import shapes
from tests.servers.answers import ACCOUNT, Answers, AnswerServer
from tests.servers.dns import NameServer

ANSWERS = Path(__file__).parents[1] / "answers"
REGION = "eu-west-1"

Rows = dict[NodeModel, list[Row]]


@cache
def tenant() -> Tenant:
    """The account of the samples, with a name server that knows the names in them."""
    names = NameServer({"search-logs-4fhz2kq7.eu-west-1.es.amazonaws.com": ["192.0.2.10", "192.0.2.9"]}).start()
    return Tenant(provider="aws", id=ACCOUNT, name="sample", access={"name_server": names.address})


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
    for action, path in lists(type_):
        pages = left[action]
        seen = 0
        for page in pages.values() if isinstance(pages, dict) else pages:
            assert isinstance(page, dict)
            items = page.get(path, [])
            page[path] = [item for number, item in enumerate(items, start=seen) if number % 2 == 0]
            seen += len(items) if isinstance(pages, list) else 0
    return left


def lists(type_: ResourceType) -> list[tuple[str, str]]:
    """(call, where its answer holds a list) of what a type reads its items from."""
    if isinstance(type_.fetch, Listing):
        return [(type_.fetch.action, path) for path in shapes.items_paths(type_.fetch)]
    paged = {action: shapes.paging(action) for action in type_.fetch.calls}
    return [(action, path) for action, config in paged.items() if config for path in result_paths(config)]


def scope_of(type_: ResourceType) -> Scope:
    return Scope(type=type_.name, tenant=ACCOUNT, region=REGION if type_.per is Per.REGION else GLOBAL)


def items_over_http(fetch: Fetch, scope: Scope, broker: redis.Redis) -> list[Item]:
    """The items of what the server answers now, of each part that is planned, through the real client."""

    async def read() -> list[Item]:
        connection = AwsApi(tenant(), scope.region, RateBudget(broker), "aws")
        try:
            planned = fetch.parts(connection)
            parts = [""] if planned is None else [part async for part in planned]
            return [item for part in parts async for item in fetch.items(connection, part)]
        finally:
            await api.close()

    return asyncio.run(read())


def rows_over_http(type_: ResourceType, aws: AnswerServer, broker: redis.Redis) -> Rows:
    """The rows of the sample. BadItem fails the test."""
    aws.answers = sample(type_)
    scope = scope_of(type_)
    rows: Rows = defaultdict(list)
    try:
        for item in items_over_http(type_.fetch, scope, broker):
            assert item.failure is None, f"{where(type_)}: {item.failure}"
            for model, row in rows_of(type_, Source(item.value, scope, (), "aws", tenant().name)):
                rows[model].append(row)
    except BadItem as error:
        pytest.fail(f"{where(type_)}: {error}")
    return rows


def ends(model: NodeModel, relationship: Relationship, row: Row) -> list[Any]:
    """The keys, or for a link the values, of the nodes at the other ends of one row's relationship."""
    if isinstance(relationship, Reference):
        keys: list[Any] = row["r"][model.references.index(relationship)]
        return keys
    if isinstance(relationship, IdLink):
        return row["p"].get(relationship.kept_as) or []
    return [row["p"][mine] for mine, _ in relationship.on if row["p"].get(mine) is not None]
