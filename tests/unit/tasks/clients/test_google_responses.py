"""What counts as a response of Google's, and as a whole one: of every call that is made, by its discovery document."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.clients.google_documents import lists_of, map_of, response_of
from tasks.clients.google_responses import HARMLESS, missing_from, problem_with
from tasks.engine import registry
from tasks.gcp import scopes as gcp

CALLS = sorted({*gcp.calls(), *(call for type_ in registry.of("gsuite") for call in type_.fetch.calls)})
LISTS = [call for call in CALLS if lists_of(call) or map_of(call)]
KINDS = [call for call in CALLS if "default" in response_of(call).get("kind", {})]
COMPUTE = "compute:instances.aggregatedList"


def kind(call: str) -> dict[str, Any]:
    told = response_of(call).get("kind", {}).get("default")
    return {"kind": told} if told else {}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("body", [None, [], [{}], "", "text", 1, {"message": "Sign in first", "status": "ok"}], ids=str)
def test_something_else_is_no_response(call: str, body: Any) -> None:
    assert problem_with(call, body)


@pytest.mark.parametrize("call", KINDS)
def test_an_empty_object_is_none_where_responses_say_what_they_are(call: str) -> None:
    assert problem_with(call, {})
    assert problem_with(call, {"etag": "x"})
    assert problem_with(call, {"kind": "proxy#page"})
    assert problem_with(call, kind(call)) is None


@pytest.mark.parametrize("call", [call for call in LISTS if call not in KINDS])
def test_an_empty_object_is_an_empty_list_where_google_sends_no_more(call: str) -> None:
    """`{}` is all that these say of none. But nothing else is."""
    assert problem_with(call, {}) is None
    assert problem_with(call, {"results": [], "total": 0})


@pytest.mark.parametrize("call", LISTS)
@pytest.mark.parametrize("value", [None, "none", 0, False, "map or list"], ids=str)
def test_a_list_that_is_something_else_is_no_response(call: str, value: Any) -> None:
    for name in (*lists_of(call), *filter(None, [map_of(call)])):
        other = ([] if name == map_of(call) else {}) if value == "map or list" else value
        assert problem_with(call, {**kind(call), name: other})


@pytest.mark.parametrize("found", [None, [], {"instances": None}, {"instances": {}}], ids=str)
def test_so_it_is_in_each_zone(found: Any) -> None:
    assert problem_with(COMPUTE, {**kind(COMPUTE), "items": {"zones/a": found}})


def test_a_list_without_a_kind_says_so_by_its_items() -> None:
    assert problem_with("directory:members.list", {"members": []}) is None
    assert list(missing_from("directory:members.list", {"members": []})) == []


def test_of_a_list_without_a_kind_a_field_that_nobody_knows_may_say_anything() -> None:
    body = {"clusters": [], "skippedZones": ["a"], "also": []}
    assert problem_with("container:projects.locations.clusters.list", body) is None
    assert list(missing_from("container:projects.locations.clusters.list", body)) == ["it has a field skippedZones"]


def test_a_token_is_text() -> None:
    assert problem_with("iam:projects.roles.list", {"roles": [], "nextPageToken": 2})


@pytest.mark.parametrize(
    ("call", "body", "missing"),
    [
        ("container:projects.locations.clusters.list", {"clusters": [], "missingZones": ["a", "b"]}, ["a", "b"]),
        ("storage:buckets.list", {"kind": "storage#buckets", "unreachable": ["eu"]}, ["eu"]),
        (
            "compute:networks.list",
            {**kind("compute:networks.list"), "warning": {"code": "UNREACHABLE"}},
            ["UNREACHABLE"],
        ),
        ("compute:networks.list", {**kind("compute:networks.list"), "warning": {"message": "?"}}, ["warning"]),
        (COMPUTE, {**kind(COMPUTE), "unreachables": ["zones/a"]}, ["zones/a"]),
        (
            "sqladmin:instances.list",
            {"items": [], "warnings": [{"code": "REGION_UNREACHABLE", "region": "us-east1", "message": "later"}]},
            ["REGION_UNREACHABLE us-east1"],
        ),
        (
            COMPUTE,
            {
                **kind(COMPUTE),
                "items": {
                    "zones/a": {"warning": {"code": "NO_RESULTS_ON_PAGE", "message": "none"}},
                    "zones/b": {"warning": {"code": "UNREACHABLE"}, "instances": []},
                    "zones/c": {"instances": [{"name": "warning", "status": "missing"}]},
                },
            },
            ["zones/b (UNREACHABLE)"],
        ),
    ],
)
def test_what_it_says_that_it_lacks(call: str, body: Any, missing: list[str]) -> None:
    assert problem_with(call, body) is None
    assert list(missing_from(call, body)) == missing


@pytest.mark.parametrize("call", [call for call in CALLS if "warning" in response_of(call)])
def test_the_warnings_that_are_harmless_are_google_s(call: str) -> None:
    assert set(response_of(call)["warning"]["properties"]["code"]["enum"]) >= HARMLESS


def test_every_field_that_may_say_it_is_known() -> None:
    """Lists of texts in a response that lists: places that weren't reached. Another would have to be looked at."""
    texts = {
        name
        for call in LISTS
        for name, of in response_of(call).items()
        if of.get("type") == "array" and of["items"].get("type") == "string"
    }
    assert texts == {"missingZones", "unreachable", "unreachables"}
