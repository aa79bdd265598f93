"""States of a query: how values become texts, and what comparing two states says."""

from __future__ import annotations

from typing import Any

import pytest

from analysis.drift.state import Incomparable, State, drift

TEMPLATE = State(name="Exposed", validation_query="MATCH (n) RETURN n.id, n.how")
COLUMNS = ["n.id", "n.how"]


def state(*rows: list[Any]) -> State:
    return TEMPLATE.with_results(COLUMNS, rows)


def test_values_are_texts_lists_are_sorted_and_so_are_rows() -> None:
    found = state(["b", ["elb", "direct"]], ["a", None], ["c", []], [10, True])
    assert found.properties == ("n.id", "n.how")
    assert found.results == [("10", "True"), ("a", "None"), ("b", "direct|elb"), ("c", "")]


def test_rows_that_are_new_and_rows_that_are_missing() -> None:
    found = drift(state(["a", ["x"]], ["b", ["y"]]), state(["b", ["y"]], ["c", ["x", "y"]]))
    assert found.new == [{"n.id": "c", "n.how": ["x", "y"]}]
    assert found.missing == [{"n.id": "a", "n.how": "x"}]


def test_a_state_of_2020_compares_with_one_of_today() -> None:
    of_2020 = State.of(
        {
            "name": "Exposed",
            "validation_query": TEMPLATE.validation_query,
            "properties": COLUMNS,
            "results": [["a", "direct|elb"]],
        }
    )
    found = drift(of_2020, state(["a", ["elb", "direct"]]))
    assert (found.new, found.missing) == ([], [])


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (State(name="Other", validation_query=TEMPLATE.validation_query), "names"),
        (State(name="Exposed", validation_query="RETURN 1"), "queries"),
        (TEMPLATE.with_results(["n.id"], []), "properties"),
    ],
)
def test_states_of_two_queries_are_not_compared(other: State, told: str) -> None:
    with pytest.raises(Incomparable, match=f"the {told} of the two states differ, so they can't be compared"):
        drift(state(), other)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ([], "is not an object"),
        ({"validation_query": "RETURN 1"}, "name is missing"),
        ({"name": "x", "validation_query": " "}, "validation_query is empty"),
        ({"name": "x", "validation_query": "RETURN 1", "properties": [1]}, "properties is not a list of texts"),
        ({"name": "x", "validation_query": "RETURN 1", "results": ["a"]}, "results is not a list of lists of texts"),
    ],
)
def test_a_file_that_is_no_state_says_which_field(content: object, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        State.of(content)
