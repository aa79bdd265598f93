"""The helper for GraphQL over HTTP: connections to their end, many nodes in one call, what may be wrong with some."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from loaders.model import NOT_SEEN
from tasks.clients.graphql import Connection
from tasks.clients.graphql_api import Document, GraphqlApi
from tasks.clients.graphql_by_ids import ByIds
from tasks.clients.graphql_errors import classify_graphql_error
from tasks.clients.http import HttpService
from tasks.clients.http_requests import close_http
from tasks.clients.local_rate_limiter import LocalRateLimiter
from tasks.clients.rate_limiter import RateLimit
from tasks.failures import CallFailed, Failure
from tasks.resource import Item, Tenant
from tests.servers.json_api import Asked, JsonApi, Reply

PAGE_INFO = "pageInfo { endCursor hasNextPage }"
IDS = Document(f"query Ids($cursor: String) {{ things(after: $cursor) {{ nodes {{ id }} {PAGE_INFO} }} }}", "things")
THINGS = Document("query Things($ids: [ID!]!) { nodes(ids: $ids) { id parts { nodes { name } } } }")
MORE = Document(
    "query MoreParts($id: ID!, $cursor: String) { node(id: $id) { parts { nodes { name } } } }", "node.parts"
)
FETCH = ByIds(IDS, THINGS, {"parts": MORE}, part_size=3, batch_size=2)
SERVICE = HttpService(
    limit=lambda action: ("any", RateLimit(500, 500)), in_flight=5, classify_error=classify_graphql_error
)


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


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.clients.graphql_api.RETRY_SECONDS", (0.0, 0.0))


def read(server: JsonApi, fetch: ByIds | Connection = FETCH, items: list[Item] | None = None) -> list[Item]:
    """Every item; in `items` as well, where it ends with a failure."""
    found: list[Item] = [] if items is None else items

    async def all_of_it() -> list[Item]:
        tenant = Tenant(provider="toy", id="one")
        api = GraphqlApi(
            tenant=tenant, policy=SERVICE, rate_limiter=LocalRateLimiter(), base_url=server.url, headers=dict
        )
        try:
            planned = fetch.parts(api)
            parts = [""] if planned is None else [part async for part in planned]
            for part in parts:
                async for item in fetch.items(api, part):
                    found.append(item)  # noqa: PERF401  # one by one: what was read before a failure counts
            return found
        finally:
            await close_http()

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
    assert failures == {"b": (Failure.NOT_FOUND, "NOT_FOUND"), "d": denied, "e": (Failure.DENIED, "NULL")}
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
    monkeypatch.setattr("tasks.clients.client.MAX_ATTEMPTS", 1)  # fail at the first error instead of backing off
    server.routes["POST /graphql Things"] = lambda asked: (
        things(asked) if len(variables(asked)["ids"]) == 1 else Reply({"errors": [{"message": "timeout"}]})
    )
    assert set(names(read(server))) == {"a", "b", "c", "d", "e"}


# --- what is no list


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        None,
        "<html>",
        {"data": None},
        {"data": {}},
        {"data": []},
        {"data": {"things": None}},
        {"data": {"things": []}},
        {"data": {"things": {}}},
        {"data": {"things": {"nodes": None, "pageInfo": {"endCursor": None, "hasNextPage": False}}}},
        {"data": {"things": {"nodes": {}, "pageInfo": {"endCursor": None, "hasNextPage": False}}}},
        {"data": {"things": {"nodes": []}}},
        {"data": {"things": {"nodes": [], "pageInfo": None}}},
        {"data": {"things": {"nodes": [], "pageInfo": {"endCursor": None, "hasNextPage": None}}}},
        {"data": {"things": {"nodes": [], "pageInfo": {"endCursor": None, "hasNextPage": True}}}},
        {"data": {"things": {"nodes": [], "pageInfo": {"endCursor": "", "hasNextPage": True}}}},
    ],
)
@pytest.mark.parametrize("fetch", [Connection(IDS), FETCH], ids=["connection", "by ids"])
def test_what_is_no_list_is_no_empty_one(
    server: JsonApi, fetch: Connection | ByIds, body: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.clients.client.MAX_ATTEMPTS", 1)
    server.routes["POST /graphql Ids"] = lambda asked: Reply(body)
    with pytest.raises(CallFailed) as caught:
        read(server, fetch)
    assert caught.value.failure is Failure.INVALID_RESPONSE


def test_an_empty_page_goes_on_and_a_page_that_was_read_before_doesnt(server: JsonApi) -> None:
    server.routes["POST /graphql Ids"] = lambda asked: Reply(
        {"data": {"things": page([], "2") if variables(asked)["cursor"] is None else page(["a"], None, "id")}}
    )
    assert [item.value["id"] for item in read(server, Connection(IDS))] == ["a"]
    server.routes["POST /graphql Ids"] = lambda asked: Reply({"data": {"things": page(["a"], "2", "id")}})
    with pytest.raises(CallFailed, match="was read before"):
        read(server, Connection(IDS))


def test_a_list_that_wasnt_there_at_first_is_asked_for_again(server: JsonApi) -> None:
    """The server had no time for it."""

    def second(asked: Asked) -> Reply:
        return Reply({"data": {"things": None}}) if server.counts["POST /graphql Ids"] == 1 else ids(asked)

    server.routes["POST /graphql Ids"] = second
    assert len(read(server, Connection(IDS))) == 5


# --- what is hidden in a list


@pytest.mark.parametrize("errors", [[], [{"type": "FORBIDDEN", "path": ["things", "nodes", 1], "message": "No"}]])
@pytest.mark.parametrize("fetch", [Connection(IDS), FETCH], ids=["connection", "by ids"])
def test_the_others_of_a_list_are_read_and_then_it_isnt_whole(
    server: JsonApi, fetch: Connection | ByIds, errors: list[Any]
) -> None:
    """Nobody knows which one is hidden: whatever the graph has may be it."""
    listed = {"nodes": [{"id": "a"}, None, {"id": "b"}], "pageInfo": {"endCursor": None, "hasNextPage": False}}
    server.routes["POST /graphql Ids"] = lambda asked: Reply({"data": {"things": listed}, "errors": errors})
    items: list[Item] = []
    with pytest.raises(CallFailed) as caught:
        read(server, fetch, items)
    assert [item.value["id"] for item in items] == ["a", "b"]
    assert (caught.value.failure, caught.value.code) == (Failure.DENIED, "FORBIDDEN" if errors else "NULL")
    assert caught.value.action == "POST /graphql Ids for 1 item"


# --- what fails within a node


def told(items: list[Item]) -> dict[str, list[str]]:
    return {item.key: [gap.reason for gap in item.gaps] for item in items if item.gaps}


def with_errors(*errors: dict[str, Any], parts: Any = None) -> Any:
    """Things, of which `b` has these errors and other parts."""

    def some(asked: Asked) -> Reply:
        nodes = things(asked).body["data"]["nodes"]
        found = []
        for number, node in enumerate(nodes):
            if node["id"] == "b":
                node["parts"] = parts
                found = [{**error, "path": ["nodes", number, *error["path"]]} for error in errors]
        return Reply({"data": {"nodes": nodes}, "errors": found})

    return some


CUT = {"nodes": [{"name": "b1"}, None], "pageInfo": {"endCursor": None, "hasNextPage": False}}


@pytest.mark.parametrize(
    ("errors", "parts", "reason"),
    [
        ([], None, "parts: invalid response"),
        ([], {"nodes": None, "pageInfo": CUT["pageInfo"]}, "parts: invalid response"),
        ([], {"nodes": []}, "parts: invalid response"),
        ([], {"nodes": [], "pageInfo": {"endCursor": None, "hasNextPage": True}}, "parts: invalid response"),
        ([{"type": "FORBIDDEN", "path": ["parts"]}], None, "parts: FORBIDDEN"),
        ([{"type": "FORBIDDEN", "path": ["parts", "nodes", 1]}], CUT, "parts: FORBIDDEN"),
    ],
)
def test_a_list_within_a_node_that_isnt_shown_isnt_seen(
    server: JsonApi, errors: list[dict[str, Any]], parts: Any, reason: str
) -> None:
    """The node is there, and its other parts; of the list the graph keeps what it has."""
    server.routes["POST /graphql Things"] = with_errors(*errors, parts=parts)
    items = read(server)
    assert told(items) == {"b": [reason]}
    [b] = [item.value for item in items if item.key == "b"]
    assert b["parts"] is NOT_SEEN
    assert len(items) == 5


def test_null_in_a_list_within_a_node_is_passed_over(server: JsonApi) -> None:
    """An account that was deleted or suspended. It is told."""
    server.routes["POST /graphql Things"] = with_errors(parts=CUT)
    items = read(server)
    assert names(items)["b"] == ["b1"]
    assert told(items) == {"b": ["parts: NULL"]}


def test_an_error_of_a_property_costs_the_property(server: JsonApi) -> None:
    parts = {"nodes": [{"name": "b1", "size": None}], "pageInfo": CUT["pageInfo"]}
    server.routes["POST /graphql Things"] = with_errors(
        {"type": "FORBIDDEN", "path": ["parts", "nodes", 0, "size"]}, parts=parts
    )
    items = read(server)
    [b] = [item.value for item in items if item.key == "b"]
    assert (b["parts"]["nodes"], told(items)) == ([{"name": "b1", "size": NOT_SEEN}], {"b": ["size: FORBIDDEN"]})


def test_a_further_page_that_fails_costs_its_list(server: JsonApi) -> None:
    forbidden = {"data": {"node": None}, "errors": [{"type": "FORBIDDEN", "path": ["node", "parts"]}]}
    server.routes["POST /graphql MoreParts"] = lambda asked: Reply(forbidden)
    items = read(server)
    assert told(items) == {"a": ["parts: FORBIDDEN"]}
    assert len(items) == 5


@pytest.mark.parametrize("message", ["timedout", "loading", "Something went wrong while executing your query."])
def test_a_part_that_fails_in_passing_is_asked_for_again(server: JsonApi, message: str) -> None:
    passing = with_errors({"path": ["parts"], "message": message, "locations": [{"line": 1, "column": 1}]})
    asked_for: list[list[str]] = []

    def once(asked: Asked) -> Reply:
        asked_for.append(variables(asked)["ids"])
        first = sum("b" in some for some in asked_for) == 1
        reply: Reply = passing(asked) if first else things(asked)
        return reply

    server.routes["POST /graphql Things"] = once
    items = read(server)
    assert set(names(items)) == {"a", "b", "c", "d", "e"}
    assert not told(items)
    assert ["b"] in asked_for, "none but the one that failed"


def test_what_goes_on_failing_is_told_with_what_is_beside_it(server: JsonApi) -> None:
    server.routes["POST /graphql Things"] = with_errors({"path": ["parts"], "message": "timedout"})
    items = read(server)
    assert told(items) == {"b": ["parts: transient"]}
    assert len(items) == 5


# --- what is refused as a whole


@pytest.mark.parametrize(
    ("error", "calls"),
    [
        ({"extensions": {"code": "undefinedField"}, "path": ["query Things", "nodes"], "message": "no such field"}, 1),
        ({"locations": [{"line": 1, "column": 1}], "message": "Parse error on }"}, 1),
        ({"type": "INSUFFICIENT_SCOPES", "message": "needs more"}, 1),
    ],
)
def test_what_would_be_refused_again_is_asked_for_once(server: JsonApi, error: dict[str, Any], calls: int) -> None:
    server.routes["POST /graphql Things"] = lambda asked: Reply({"errors": [error]})
    with pytest.raises(CallFailed):
        read(server, replace(FETCH, part_size=20, batch_size=20))
    assert server.counts["POST /graphql Things"] == calls


@pytest.mark.parametrize("word", ["MAX_NODE_LIMIT_EXCEEDED", "RESOURCE_LIMITS_EXCEEDED"])
def test_what_is_too_much_at_once_is_asked_for_in_halves_without_a_repetition(server: JsonApi, word: str) -> None:
    server.routes["POST /graphql Things"] = lambda asked: (
        things(asked) if len(variables(asked)["ids"]) == 1 else Reply({"errors": [{"type": word}]})
    )
    assert set(names(read(server))) == {"a", "b", "c", "d", "e"}
    assert server.counts["POST /graphql Things"] == 7


def test_one_that_is_too_much_by_itself_costs_no_other(server: JsonApi) -> None:
    server.routes["POST /graphql Things"] = lambda asked: (
        Reply({"errors": [{"type": "RESOURCE_LIMITS_EXCEEDED"}]}) if "b" in variables(asked)["ids"] else things(asked)
    )
    items = read(server)
    assert [item.key for item in items if item.failure] == ["b"]
    assert len(items) == 5


def test_a_field_without_its_scope_is_left_out_and_told(server: JsonApi) -> None:
    """Once: what the token lacks for one question it lacks for the next."""
    text = "query Things($ids: [ID!]!) { nodes(ids: $ids) { id secret parts { nodes { name } } } }"
    lacks = "The 'secret' field requires one of the following scopes: ['a:b', 'c:d'], but your token has: []."

    def refuse(asked: Asked) -> Reply:
        if "secret: __typename" not in json.loads(asked.body)["query"]:
            return Reply({"errors": [{"message": lacks, "locations": [{"line": 1, "column": 1}]}]})
        nodes = [{**node, "secret": "Thing"} for node in things(asked).body["data"]["nodes"]]
        return Reply({"data": {"nodes": nodes}})

    server.routes["POST /graphql Things"] = refuse
    fetch = replace(FETCH, document=Document(text, optional=("secret",)), part_size=20, batch_size=20)
    items = read(server, fetch)
    assert all(item.value["secret"] is NOT_SEEN for item in items)
    assert told(items) == {key: ["secret: INSUFFICIENT_SCOPES (secret needs a:b or c:d)"] for key in "abcde"}
    assert server.counts["POST /graphql Things"] == 2
    with pytest.raises(CallFailed) as caught:
        read(server, replace(fetch, document=Document(text)))
    assert (caught.value.failure, caught.value.code) == (
        Failure.DENIED,
        "INSUFFICIENT_SCOPES (secret needs a:b or c:d)",
    )


def test_a_field_that_is_denied_and_takes_its_thing_with_it_is_left_out(server: JsonApi) -> None:
    """As it may not be null, what has it is null instead, and whatever that lies in."""
    text = "query Things($ids: [ID!]!) { nodes(ids: $ids) { id parts { nodes { name secret } } } }"

    def deny(asked: Asked) -> Reply:
        nodes = things(asked).body["data"]["nodes"]
        if "secret: __typename" in json.loads(asked.body)["query"]:
            return Reply({"data": {"nodes": nodes}})
        denied = []
        for number, node in enumerate(nodes):
            node["parts"]["nodes"] = [None]
            denied.append({"type": "FORBIDDEN", "path": ["nodes", number, "parts", "nodes", 0, "secret"]})
        return Reply({"data": {"nodes": nodes}, "errors": denied})

    server.routes["POST /graphql Things"] = deny
    fetch = replace(FETCH, document=Document(text, optional=("secret",)), part_size=20, batch_size=20)
    assert set(names(read(server, fetch))) == {"a", "b", "c", "d", "e"}
    assert server.counts["POST /graphql Things"] == 2
