"""The sample responses of the resource types: where they lie, half of them, the rows that they become."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import redis

from loaders.batch import Row
from loaders.model import IdLink, NodeModel, Reference, Relationship, Source, at
from loaders.scope import GLOBAL, Scope
from tasks.clients.rate_limiter import RedisRateLimiter
from tasks.engine.rows import rows_of
from tasks.failures import InvalidRecord
from tasks.resource import Fetch, Item, Per, ResourceType
from tests.contract import event_loop
from tests.contract.stand_in import Responses, StandIn

RESPONSES = Path(__file__).parents[1] / "responses"
REGION = "eu-west-1"

Rows = dict[NodeModel, list[Row]]


def sample_file(type_: ResourceType) -> Path:
    return RESPONSES / type_.provider / f"{type_.name}.json"


def sample(type_: ResourceType) -> Responses:
    file = sample_file(type_)
    if not file.exists():
        calls = ", ".join(type_.fetch.calls)
        pytest.fail(f"{type_.name} has no sample response: write {file.relative_to(Path.cwd())} with pages of {calls}")
    found: Responses = json.loads(file.read_text())
    return found


def other_sample(type_: ResourceType) -> Responses:
    """Another response of a thing that is alone in its scope, where one can't be all that it may be; else the
    sample.
    """
    found: Responses = json.loads(_other_file(type_).read_text()) if has_other(type_) else sample(type_)
    return found


def has_other(type_: ResourceType) -> bool:
    return _other_file(type_).exists()


def _other_file(type_: ResourceType) -> Path:
    return sample_file(type_).with_suffix(".other.json")


def where(type_: ResourceType) -> str:
    return str(sample_file(type_).relative_to(RESPONSES.parents[1]))


def half(type_: ResourceType, stand_in: StandIn) -> Responses:
    """The sample without every other item: of its listing, or of every list that its code reads.

    A call whose whole response is the item always answers.
    """
    left = deepcopy(sample(type_))
    for action, path in stand_in.lists(type_):
        seen = 0
        for page in pages(left[action]):
            items = items_in(page, path)
            for number, name in reversed([*enumerate(names_in(items), start=seen)]):
                if number % 2:
                    del items[name]
            seen += len(items) if isinstance(left[action], list) else 0
    return left


def pages(responses: Any) -> Iterator[Any]:
    """Every page of a call's responses: of the call itself, or of all that are made per item."""
    for response in responses.values() if isinstance(responses, dict) else [responses]:
        yield from (
            page for page in (response if isinstance(response, list) else [response]) if not isinstance(page, str)
        )


def items_in(page: Any, path: str) -> Any:
    """The list of a page itself, not a copy, or the mapping where items have names; empty where there is none."""
    found = at(path, page) if path else page
    return found if isinstance(found, list | dict) else []


def names_in(items: Any) -> list[Any]:
    """What each item is got by: its place in a list, its name in a mapping."""
    return list(items) if isinstance(items, dict) else list(range(len(items)))


def scope_of(type_: ResourceType, stand_in: StandIn) -> Scope:
    region = REGION if type_.per is Per.REGION else GLOBAL
    return Scope(type=type_.name, tenant=stand_in.tenant_of(type_).id, region=region)


def items_over_http(fetch: Fetch, scope: Scope, stand_in: StandIn, broker: redis.Redis) -> list[Item]:
    """The items of what the server answers now, of each part that is planned, through the real client."""

    async def read() -> list[Item]:
        connection = await stand_in.connect(scope, RedisRateLimiter(broker))
        planned = fetch.parts(connection)
        parts = [""] if planned is None else [part async for part in planned]
        return [item for part in parts async for item in fetch.items(connection, part)]

    return event_loop.run(read())


def rows_over_http(
    type_: ResourceType, stand_in: StandIn, broker: redis.Redis, *, responses: Responses | None = None
) -> Rows:
    """The rows of the sample, or of these responses. BadItem fails the test."""
    stand_in.responses = responses or sample(type_)
    scope = scope_of(type_, stand_in)
    rows: Rows = defaultdict(list)
    try:
        for item in items_over_http(type_.fetch, scope, stand_in, broker):
            assert item.failure is None, f"{where(type_)}: {item.failure}"
            tenant = stand_in.tenant_of(type_)
            source = Source(item.value, scope, (), stand_in.partition, tenant.name, tenant.access)
            for model, row in rows_of(type_, source):
                rows[model].append(row)
    except InvalidRecord as error:
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
