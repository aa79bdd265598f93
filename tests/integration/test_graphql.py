"""The helper for GraphQL over HTTP: connections to their end, many nodes in one call, what may be wrong with some."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tasks import graphql, http
from tasks.failures import CallFailed, Failure
from tasks.graphql import ByIds, Connection, Document, GraphqlApi
from tasks.http import HttpService
from tasks.own_budget import OwnBudget
from tasks.rate_budget import Limit
from tasks.resource import Item, Tenant
from tests.servers.json_api import Asked, JsonApi, Reply

PAGE_INFO = "pageInfo { endCursor hasNextPage }"
IDS = Document(f"query Ids($cursor: String) {{ things(after: $cursor) {{ nodes {{ id }} {PAGE_INFO} }} }}", "things")
THINGS = Document("query Things($ids: [ID!]!) { nodes(ids: $ids) { id parts { nodes { name } } } }")
MORE = Document(
    "query MoreParts($id: ID!, $cursor: String) { node(id: $id) { parts { nodes { name } } } }", "node.parts"
)
FETCH = ByIds(IDS, THINGS, {"parts": MORE}, per_part=3, at_once=2)
SERVICE = HttpService(limit=lambda action: ("any", Limit(500, 500)), in_flight=5, refusal=graphql.refusal)


def page(names: list[str], cursor: str | None = None, key: str = "name") -> dict[str, Any]:
    nodes = [{key: name} for name in names]
    return {"nodes": nodes, "pageInfo": {"endCursor": cursor, "hasNextPage": cursor is not None}}


def variables(asked: Asked) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(asked.body)["variables"]
    return found


def ids(asked: Asked) -> Reply:
    second = variables(asked)["cursor"] == "2"
    return Reply({"data": {"things": page(["d", "e"], key="id") if second else page(["a", "b", "c"], "2", key="id")}})


def things(asked: Asked) -> Reply:
    nodes = [{"id": one, "parts": page([f"{one}1"], "more" if one == "a" else None)} for one in variables(asked)["ids"]]
    return Reply({"data": {"nodes": nodes}})


def more_parts(asked: Asked) -> Reply:
    assert variables(asked)["cursor"] == "more"
    return Reply({"data": {"node": {"parts": page([f"{variables(asked)['id']}2"])}}})


@pytest.fixture
def server() -> Iterator[JsonApi]:
    routes = {"POST /graphql Ids": ids, "POST /graphql Things": things, "POST /graphql MoreParts": more_parts}
    with JsonApi(routes) as running:
        yield running


def read(server: JsonApi, fetch: ByIds | Connection = FETCH) -> list[Item]:
    async def all_of_it() -> list[Item]:
        tenant = Tenant(provider="toy", id="one")
        api = GraphqlApi(tenant=tenant, terms=SERVICE, budget=OwnBudget(), base_url=server.url, headers=dict)
        try:
            planned = fetch.parts(api)
            parts = [""] if planned is None else [part async for part in planned]
            return [item for part in parts async for item in fetch.items(api, part)]
        finally:
            await http.close()

    return asyncio.run(all_of_it())


def names(items: list[Item]) -> dict[str, list[str]]:
    return {
        item.value["id"]: [one["name"] for one in item.value["parts"]["nodes"]] for item in items if not item.failure
    }


def test_a_connection_is_read_to_its_end(server: JsonApi) -> None:
    assert [item.value["id"] for item in read(server, Connection(IDS))] == ["a", "b", "c", "d", "e"]


def test_nodes_come_many_at_a_time_with_what_is_within_them(server: JsonApi) -> None:
    assert names(read(server)) == {"a": ["a1", "a2"], "b": ["b1"], "c": ["c1"], "d": ["d1"], "e": ["e1"]}
    assert server.counts == {"POST /graphql Ids": 2, "POST /graphql Things": 3, "POST /graphql MoreParts": 1}


def test_one_that_is_gone_and_ones_that_arent_shown(server: JsonApi) -> None:
    """Null and an error of its own: each is that node's, and no other's. Without an error null says nothing: what was
    listed a moment ago isn't gone for that.
    """
    errors = {"b": {"type": "NOT_FOUND", "message": "Could not resolve"}, "d": {"type": "FORBIDDEN", "message": "No"}}

    def some(asked: Asked) -> Reply:
        nodes = [None if one["id"] in "bde" else one for one in things(asked).body["data"]["nodes"]]
        told = [errors[one] | {"path": ["nodes", n]} for n, one in enumerate(variables(asked)["ids"]) if one in errors]
        return Reply({"data": {"nodes": nodes}, "errors": told})

    server.routes["POST /graphql Things"] = some
    items = read(server)
    failures = {item.key: (item.failure.failure, item.failure.code) for item in items if item.failure}
    denied = (Failure.DENIED, "FORBIDDEN")
    assert failures == {"b": (Failure.GONE, "NOT_FOUND"), "d": denied, "e": (Failure.DENIED, "NULL")}
    assert set(names(items)) == {"a", "c"}


def test_a_part_of_a_list_is_no_list(server: JsonApi) -> None:
    broken = {
        "data": {"things": page(["a"], key="id")},
        "errors": [{"type": "FORBIDDEN", "path": ["things", "nodes", 1]}],
    }
    server.routes["POST /graphql Ids"] = lambda asked: Reply(broken)
    with pytest.raises(CallFailed) as caught:
        read(server, Connection(IDS))
    assert caught.value.failure is Failure.DENIED


def test_what_takes_too_long_is_asked_for_in_halves(server: JsonApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two at once are too much for this server, one isn't."""
    monkeypatch.setattr("tasks.budgeted.MOST_TRIES", 1)  # each refusal counts at once: it would be waited for
    server.routes["POST /graphql Things"] = lambda asked: (
        things(asked) if len(variables(asked)["ids"]) == 1 else Reply({"errors": [{"message": "timeout"}]})
    )
    assert set(names(read(server))) == {"a", "b", "c", "d", "e"}
