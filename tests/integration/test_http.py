"""The helper for APIs of JSON over HTTP, against a server: pages, refusals, and one budget for the whole fleet."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import Coroutine, Iterator
from dataclasses import replace
from typing import Any

import pytest
import redis

from tasks.clients.api_client import Response
from tasks.clients.client import MAX_ATTEMPTS
from tasks.clients.http import HttpApi, HttpService
from tasks.clients.http_requests import close_http
from tasks.clients.paginators import Cursor, LinkHeader
from tasks.clients.rate_limiter import RateLimit, RedisRateLimiter
from tasks.engine.listing import Listing, listing
from tasks.failures import CallFailed, Failure, RetryLater
from tasks.resource import Item, Tenant
from tests.servers.json_api import Asked, JsonApi, Reply, by_links
from tests.servers.json_api import token as guarded_by
from workers import embedded

TOKEN = "SSWS not-a-secret"
LIMIT = RateLimit(initial=200, maximum=400)
IN_FLIGHT = 3
USERS = "GET /users"
GROUPS = listing("GET /groups").detail("GET /groups/{id}/members", id="id", absent_codes="404")
PAGES = {
    USERS: by_links([{"id": "1"}, {"id": "2"}], [{"id": "3"}], []),
    "GET /groups": by_links([{"id": "a"}], [{"id": "b/c"}]),
    "GET /groups/a/members": by_links([{"id": "1"}], [{"id": "2"}]),
}


def exhausted(response: Response) -> float:
    return float(response.headers.get("x-exhausted", 0))


SERVICE = HttpService(
    limit=lambda action: ("any", LIMIT), in_flight=IN_FLIGHT, paginator=LinkHeader(), exhausted=exhausted
)


@pytest.fixture
def server() -> Iterator[JsonApi]:
    with JsonApi(PAGES, guarded_by(TOKEN)) as running:
        yield running


def api_of(url: str, client: redis.Redis, *, token: str = TOKEN, service: HttpService = SERVICE) -> HttpApi:
    tenant = Tenant(provider="toy", id="one")
    rate_limiter = RedisRateLimiter(client, longest_wait_seconds=5)
    return HttpApi(
        tenant=tenant, policy=service, base_url=url, headers=lambda: {"Authorization": token}, rate_limiter=rate_limiter
    )


@pytest.fixture
def api(server: JsonApi, broker: redis.Redis) -> HttpApi:
    return api_of(server.url, broker)


def run(work: Coroutine[Any, Any, Any]) -> Any:
    async def to_the_end() -> Any:
        try:
            return await work
        finally:
            await close_http()

    return asyncio.run(to_the_end())


async def items_of(fetch: Listing, api: HttpApi) -> list[Item]:
    return [item async for item in fetch.items(api, "")]


async def ids(api: HttpApi) -> list[str]:
    return [item.value["id"] for item in await items_of(listing(USERS), api)]


# --- pages ---


def test_a_listing_follows_the_links_to_the_last_page(api: HttpApi) -> None:
    assert run(ids(api)) == ["1", "2", "3"]
    assert api.calls == 3


def test_a_call_per_item_is_merged_with_all_its_pages_and_names_are_quoted(api: HttpApi, server: JsonApi) -> None:
    groups = {item.value["id"]: item.value["members"] for item in run(items_of(GROUPS, api))}
    assert groups == {"a": [{"id": "1"}, {"id": "2"}], "b/c": {}}
    assert "/groups/b%2Fc/members" in [asked.path for asked in server.received]


def test_a_token_in_the_response_leads_to_the_next_page(server: JsonApi, broker: redis.Redis) -> None:
    server.routes["GET /things"] = lambda asked: Reply({"value": [2]} if asked.query else {"value": [1], "next": "1"})
    service = HttpService(
        limit=SERVICE.limit, in_flight=IN_FLIGHT, paginator=Cursor("next", "after"), items_path="value"
    )
    api = api_of(server.url, broker, service=service)
    assert run(api.read_all("GET /things"))["value"] == [1, 2]
    assert [item.value for item in run(items_of(listing("GET /things"), api))] == [1, 2]


def test_a_link_that_leads_round_in_a_circle_ends_the_scope(server: JsonApi, api: HttpApi) -> None:
    server.headers["Link"] = f'<{server.url}/users?after=2>; rel="next"'
    with pytest.raises(CallFailed, match="read before") as caught:
        run(ids(api))
    assert caught.value.failure is Failure.INVALID_RESPONSE


def test_no_other_server_is_sent_the_token(server: JsonApi, api: HttpApi) -> None:
    """By a link, or by a redirect."""
    with JsonApi(PAGES, guarded_by(TOKEN)) as other:
        server.routes[USERS] = by_links([])
        server.headers["Link"] = f'<{other.url}/users>; rel="next"'
        with pytest.raises(CallFailed, match="another server"):
            run(ids(api))
        server.headers.clear()
        server.refuse(USERS, 302, {"Location": f"{other.url}/users"})
        with pytest.raises(CallFailed, match="redirects to"):
            run(ids(api))
        assert other.received == []


def test_an_api_of_many_host_names_is_read_on_at_the_configured_one(server: JsonApi, broker: redis.Redis) -> None:
    """Its links name another host of the same organization; the token goes nowhere else."""
    api = api_of(server.url, broker, service=replace(SERVICE, any_host="/users"))
    with JsonApi(PAGES, guarded_by(TOKEN)) as other:

        def elsewhere(asked: Asked) -> Reply:
            reply = PAGES[USERS](asked)
            return replace(reply, headers={"link": reply.headers.get("Link", "").replace(asked.url, other.url)})

        server.routes[USERS] = elsewhere
        assert run(ids(api)) == ["1", "2", "3"]
        server.routes[USERS] = lambda asked: Reply([{"id": "1"}], headers={"Link": f'<{other.url}/keys>; rel="next"'})
        with pytest.raises(CallFailed, match="not one of this API's"):
            run(ids(api))
        assert other.received == []


def test_an_empty_page_with_a_link_is_not_the_last(server: JsonApi, api: HttpApi) -> None:
    server.routes[USERS] = by_links([], [{"id": "1"}], [], [{"id": "2"}])
    assert run(ids(api)) == ["1", "2"]


@pytest.mark.parametrize("body", ["{}", "null", '""', '{"errors": []}', '[{"id": "1"}'])
def test_what_is_no_list_ends_the_scope(body: str, server: JsonApi, api: HttpApi) -> None:
    server.routes[USERS] = lambda asked: Reply(body)
    for each in (api, replace(api, policy=replace(SERVICE, items_path=""))):
        with pytest.raises(
            CallFailed, match=r"not a list|not valid JSON|not JSON|neither an object nor a list|neither object nor list"
        ) as caught:
            run(ids(each))
        assert caught.value.failure is Failure.INVALID_RESPONSE


@pytest.mark.parametrize("body", ["{}", "null", "[]", '{"error": "away"}'])
def test_what_is_not_the_thing_asked_for_ends_the_scope(body: str, server: JsonApi, broker: redis.Redis) -> None:
    server.routes["GET /users/{id}"] = lambda asked: Reply(body)
    api = api_of(server.url, broker, service=replace(SERVICE, required_field="id"))
    with pytest.raises(CallFailed, match="not an object with id"):
        run(api.read_all("GET /users/{id}", id="1"))


# --- refusals ---


@pytest.mark.parametrize(
    ("status", "failure", "calls"),
    [(403, Failure.DENIED, 1), (404, Failure.NOT_FOUND, 1), (400, Failure.UNEXPECTED, 1), (503, Failure.TRANSIENT, 5)],
)
def test_the_status_says_what_follows(status: int, failure: Failure, calls: int, server: JsonApi, api: HttpApi) -> None:
    server.refuse(USERS, status, body='{"errorSummary": "no, because"}', times=9)
    with pytest.raises(CallFailed, match="no, because") as caught:
        run(ids(api))
    assert (caught.value.failure, caught.value.action, caught.value.code) == (failure, USERS, str(status))
    assert api.calls == calls


def test_a_wrong_token_is_denied_and_in_no_message(server: JsonApi, broker: redis.Redis) -> None:
    with pytest.raises(CallFailed, match="Invalid token provided") as caught:
        run(ids(api_of(server.url, broker, token="SSWS another-secret")))
    assert caught.value.failure is Failure.DENIED
    assert "another-secret" not in str(caught.value)


def test_a_response_that_was_cut_is_asked_for_again(server: JsonApi, api: HttpApi) -> None:
    server.refuse(USERS, 200, body='[{"id": "1"')
    assert run(ids(api)) == ["1", "2", "3"]


def test_a_server_that_is_away_is_tried_and_then_a_failure(broker: redis.Redis) -> None:
    with JsonApi(PAGES, guarded_by(TOKEN)) as server:
        api = api_of(server.url, broker)
    with pytest.raises(CallFailed) as caught:
        run(ids(api))
    assert (caught.value.failure, api.calls) == (Failure.TRANSIENT, MAX_ATTEMPTS)


# --- parts ---


def test_a_listing_in_parts_reads_each_item_anew(server: JsonApi, api: HttpApi) -> None:
    """Parts are so many ids; one that is gone by then is passed over; of the thousands in an item little is kept."""
    one_more = {"id": "gone"}
    server.routes["GET /groups"] = by_links([{"id": "x"}, {"id": "y"}], [one_more])
    server.routes["GET /groups/{id}"] = lambda asked: (
        Reply({"message": "gone"}, 404)
        if asked.parameters["id"] == "gone"
        else Reply({"id": asked.parameters["id"], "name": "N"})
    )
    members = [{"id": str(number), "profile": {"email": "e"}} for number in range(3)]
    server.routes["GET /groups/{id}/members"] = by_links(members[:2], members[2:])
    groups = (
        listing("GET /groups", not_found_codes="404")
        .partition(2, key="id", refetch="GET /groups/{id}")
        .detail("GET /groups/{id}/members", id="id", keep=("id",))
    )

    async def read() -> tuple[list[str], list[Item]]:
        planned = groups.parts(api)
        assert planned
        parts = [part async for part in planned]
        return parts, [item for part in parts async for item in groups.items(api, part)]

    parts, items = run(read())
    assert parts == ["x,y", "gone"]
    kept = [{"id": "0"}, {"id": "1"}, {"id": "2"}]
    found = sorted((item.value for item in items if not item.failure), key=lambda value: str(value["id"]))
    assert found == [{"id": "x", "name": "N", "members": kept}, {"id": "y", "name": "N", "members": kept}]
    assert [item.failure.failure for item in items if item.failure] == [Failure.NOT_FOUND]


# --- one budget ---


def test_a_throttle_is_waited_for_as_long_as_it_says(server: JsonApi, api: HttpApi) -> None:
    server.refuse(USERS, 429, {"Retry-After": "1"})
    assert run(ids(api)) == ["1", "2", "3"]
    assert server.measured[""].early == 0


def test_a_long_throttle_gives_the_scope_back(server: JsonApi, api: HttpApi) -> None:
    server.refuse(USERS, 429, {"Retry-After": "60"})
    with pytest.raises(RetryLater) as caught:
        run(ids(api))
    assert 55 < caught.value.after_seconds < 61


def fetch_many(url: str, broker_url: str, results: Any) -> None:
    """In a process of its own: as a worker does."""
    client = redis.Redis.from_url(broker_url)

    async def many() -> list[list[str]]:
        return list(await asyncio.gather(*(ids(api_of(url, client)) for _ in range(8))))

    results.extend(run(many()))


def test_all_processes_together_keep_to_what_is_allowed_at_a_time_and_wait_when_told(
    server: JsonApi, broker: redis.Redis, services: embedded.Services
) -> None:
    """One is throttled, and a response says that nothing is left: neither is met by a call, in any process."""
    server.seconds = 0.02
    server.refuse(USERS, 429, {"Retry-After": "1"})
    server.exhaust(1)
    with multiprocessing.Manager() as manager:
        results = manager.list()
        arguments = (server.url, services.broker_url, results)
        workers = [multiprocessing.Process(target=fetch_many, args=arguments) for _ in range(3)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert list(results) == [["1", "2", "3"]] * 24
    assert server.measured[""].max_in_flight == IN_FLIGHT
    assert server.measured[""].early <= 2 * IN_FLIGHT, "no more than were under way when it was said"


def test_a_call_whose_process_died_is_in_flight_no_longer_than_its_lease(
    server: JsonApi, api: HttpApi, broker: redis.Redis
) -> None:
    bucket = "chartfleet:in_flight:toy:one"
    seconds, _ = broker.time()
    broker.zadd(bucket, {f"dead {number}": (seconds + 2) * 1000 for number in range(3)})
    assert run(ids(api)) == ["1", "2", "3"]
    assert broker.zcard(bucket) == 0


def test_who_has_calls_behind_it_waits_for_its_turn(server: JsonApi, api: HttpApi, broker: redis.Redis) -> None:
    """What only begins gives its worker back; what has begun would have to make all its calls again."""
    api.rate_limiter = RedisRateLimiter(broker, longest_wait_seconds=1)
    seconds, _ = broker.time()
    broker.zadd(
        "chartfleet:in_flight:toy:one", {f"other {number}": (seconds + 4) * 1000 for number in range(IN_FLIGHT)}
    )
    with pytest.raises(RetryLater):
        run(ids(api))
    assert server.counts == {}
    api.calls = 1
    assert run(ids(api)) == ["1", "2", "3"]
