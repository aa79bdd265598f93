"""Google's types against the discovery documents of its client: what is read, and null wherever that may be.

What the documents said when it was last looked at is in tests/facts/google_calls.json; `python -m tests.google_calls`
writes it anew, and says what a newer client's documents change.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
import redis

from loaders.ledger import State
from loaders.model import Source
from tasks.clients.google_documents import Schema, is_paged, lists_of, method_of, response_of, schema_of, scopes_of
from tasks.engine import registry
from tasks.engine.details import Detail
from tasks.engine.listing import Listing
from tasks.engine.rows import rows_of
from tasks.failures import InvalidRecord
from tasks.gcp.compute.aggregated import Aggregated
from tasks.resource import ResourceType
from tests import google_calls
from tests.contract.faults import Unlimited
from tests.contract.fields_read import Path, described, noting
from tests.contract.samples import items_over_http, sample, scope_of
from tests.contract.stand_in import StandIn
from tests.contract.test_outcomes import Attempts

TYPES = [*registry.of("gcp"), *registry.of("gsuite")]
every_type = pytest.mark.parametrize("type_", TYPES, ids=lambda type_: type_.name)
# Of fetches that are code: what an item is.
ITEMS = {"gcp.folders": "Folder", "gcp.iam.policy_bindings": "Binding"}
# Deprecated fields that are read all the same, and why.
DEPRECATED = {
    "container:projects.locations.clusters.list": {
        "masterAuth.password": "whether there is one",
        "masterAuth.username": "of clusters that still have one",
        "masterAuthorizedNetworksConfig": "where the newer field is silent",
        "privateClusterConfig.enablePrivateEndpoint": "where the newer field is silent",
        "privateClusterConfig.enablePrivateNodes": "where the newer field is silent",
        "privateClusterConfig.privateEndpoint": "where the newer field is silent",
        "privateClusterConfig.publicEndpoint": "where the newer field is silent",
        "zone": "a property of the graph of 2020",
    },
}


def test_the_documents_are_those_that_were_looked_at() -> None:
    """A newer client may bring others: `python -m tests.google_calls` says what changed, and takes it over."""
    assert google_calls.differences(google_calls.pinned(), google_calls.installed()) == []


def test_no_method_is_deprecated_and_each_names_its_scopes() -> None:
    for call, facts in google_calls.pinned()["calls"].items():
        assert not facts["deprecated"], call
        assert scopes_of(call), call
        assert method_of(call)["httpMethod"] in ("GET", "POST")


def test_each_call_whose_response_has_a_token_is_paged() -> None:
    for call in google_calls.pinned()["calls"]:
        assert is_paged(call) is ("nextPageToken" in response_of(call)), call


def test_what_changed_is_told_line_by_line() -> None:
    old = {"calls": {"a:b.list": {"scopes": ["x", "y"], "deprecated": False, "fields": ["kind"]}}}
    new = {"calls": {"a:b.list": {"scopes": ["x"], "deprecated": True, "fields": ["kind", "unreachable"]}}}
    assert google_calls.differences(old, new) == [
        "a:b.list deprecated: False -> True",
        "a:b.list fields: +unreachable",
        "a:b.list scopes: -y",
    ]


@every_type
def test_it_reads_fields_that_there_are(type_: ResourceType, stand_in: StandIn, broker: redis.Redis) -> None:
    """Functions as well as paths; and of deprecated ones none but those listed above."""
    call, root = type_.fetch.calls[0], item_schema(type_)
    seen: set[Path] = set()
    for value in items(type_, stand_in, broker):
        rows(type_, noting(value, seen), stand_in)
    deprecated = set()
    for path in sorted(seen):
        action, schema = call, root
        if detail := detail_at(type_, path):
            action, schema, path = detail.action, response(detail.action), path[len(place_of(detail)) + 1 :]
            if detail.keep:
                schema = response_of(action)[lists_of(action)[0]]["items"]
        if path:
            said = [*fields(type_, action, schema, path)]
            deprecated |= {".".join(path)} if said[-1].get("deprecated") else set()
    assert deprecated <= DEPRECATED.get(call, {}).keys()


def fields(type_: ResourceType, action: str, schema: Schema, path: Path) -> Iterator[Schema]:
    try:
        yield from described(action, schema, path)
    except KeyError:
        # What a declaration's own function made of an item is looked into like an item.
        if path[0] in MADE:
            yield {}
        else:
            raise AssertionError(f"{type_.name}: {action} has no field {'.'.join(path)}") from None


MADE = {"id", "key", "value", "nic", "tag", "vpc", "cidr"}


def item_schema(type_: ResourceType) -> Schema:
    call = type_.fetch.calls[0]
    if type_.name in ITEMS:
        return {"$ref": ITEMS[type_.name]}
    if isinstance(type_.fetch, Aggregated):
        place = schema_of(call, response_of(call)["items"]["additionalProperties"])
        found: Schema = place["properties"][type_.fetch.name]["items"]
        return found
    assert isinstance(type_.fetch, Listing)
    if type_.fetch.items_path == "":
        return response(call)
    inner: Schema = response_of(call)[lists_of(call)[0]]["items"]
    return inner


def response(call: str) -> Schema:
    found: Schema = method_of(call)["response"]
    return found


def details(type_: ResourceType) -> tuple[Detail, ...]:
    return type_.fetch.details if isinstance(type_.fetch, Listing) else ()


def detail_at(type_: ResourceType, path: Path) -> Detail | None:
    """The innermost detail whose response a path leads into."""
    found = [one for one in details(type_) if path[: len(place_of(one)) + 1] == (*place_of(one), one.name)]
    return max(found, key=lambda one: len(place_of(one)), default=None)


def place_of(detail: Detail) -> Path:
    """What it is made for: the item itself, or elements within."""
    return tuple(step.removesuffix("[]") for step in detail.each.split(".")) if detail.each else ()


# --- what isn't a response

OTHERS: dict[str, Any] = {
    "{}": {},
    "object": {"message": "Sign in first", "status": "ok"},
    "list": [],
    "null": None,
    "text": "no",
}


@every_type
@pytest.mark.parametrize("what", OTHERS)
def test_something_else_in_place_of_the_list_deletes_nothing(
    type_: ResourceType, what: str, stand_in: StandIn, broker: redis.Redis
) -> None:
    """But where a method's document knows no kind, `{}` is how Google says that there are none."""
    call = type_.fetch.calls[0]
    none_by_document = what == "{}" and bool(lists_of(call)) and "default" not in response_of(call).get("kind", {})
    response = '"no"' if what == "text" else OTHERS[what]
    ended = Attempts(broker, stand_in, Unlimited()).at(type_, responses=sample(type_) | {call: [response]})
    assert ended.state is (State.FETCHED if none_by_document else State.FAILED)
    assert ended.rows == 0


# --- null


@every_type
def test_a_value_that_is_null_or_left_out_costs_no_more_than_itself(
    type_: ResourceType, stand_in: StandIn, broker: redis.Redis
) -> None:
    """At every place of every item. What lacks its key, or a value that it must have, is told as that."""
    wrong = [
        f"{'.'.join(map(str, place))}: {said}"
        for value in items(type_, stand_in, broker)
        for place in places(value)
        if place not in {(detail.name,) for detail in details(type_)}  # whether a detail was seen, the engine says
        for changed in (nulled(value, place), left_out(value, place))
        if (said := rows(type_, changed, stand_in))
    ]
    assert not wrong, "\n".join(wrong)


def items(type_: ResourceType, stand_in: StandIn, broker: redis.Redis) -> list[Any]:
    stand_in.responses = sample(type_)
    return [item.value for item in items_over_http(type_.fetch, scope_of(type_, stand_in), stand_in, broker)]


def rows(type_: ResourceType, value: Any, stand_in: StandIn) -> str:
    """What is wrong with an item, if it is anything but a key, or a value of its own, that isn't there."""
    try:
        list(rows_of(type_, Source(value, scope_of(type_, stand_in), (), "", "", {})))
    except InvalidRecord as error:
        return "" if "no key" in str(error) or "missing" in str(error) else str(error)
    return ""


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in inner:
        yield (*path, name)
        yield from places(one, (*path, name))


def nulled(value: Any, place: tuple[Any, ...]) -> Any:
    changed = deepcopy(value)
    around(changed, place)[place[-1]] = None
    return changed


def left_out(value: Any, place: tuple[Any, ...]) -> Any:
    changed = deepcopy(value)
    del around(changed, place)[place[-1]]
    return changed


def around(value: Any, place: tuple[Any, ...]) -> Any:
    for name in place[:-1]:
        value = value[name]
    return value
