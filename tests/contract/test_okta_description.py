"""What Okta's description says of the calls beside their paths: what they need, and how much they take."""

from __future__ import annotations

from typing import Final

import pytest

from tasks.engine import registry
from tasks.engine.listing import Listing
from tasks.okta.needs import scope
from tasks.resource import ResourceType
from tests.contract.descriptions.okta import description

CALLS: Final = description()["calls"]


def test_it_is_of_the_calls_that_are_made() -> None:
    assert set(CALLS) == {call for type_ in registry.of("okta") for call in type_.fetch.calls}, (
        "python -m tests.contract.descriptions.okta"
    )


@pytest.mark.parametrize("call", CALLS)
def test_what_a_refusal_names_is_what_the_call_needs(call: str) -> None:
    assert CALLS[call]["scopes"] == [scope(call)]


@pytest.mark.parametrize("call", CALLS)
def test_no_call_is_on_its_way_out(call: str) -> None:
    assert not CALLS[call]["deprecated"]


@pytest.mark.parametrize("type_", registry.of("okta"), ids=lambda type_: type_.name)
def test_no_page_is_asked_for_that_is_larger_than_the_largest(type_: ResourceType) -> None:
    fetch = type_.fetch
    assert isinstance(fetch, Listing)
    asked = [(fetch.action, dict(fetch.parameters)), *((one.action, dict(one.constants)) for one in fetch.details)]
    for call, parameters in asked:
        largest = CALLS[call]["query"].get("limit")
        assert "limit" not in parameters or largest is None or parameters["limit"] <= largest, call
