"""A query that Neo4j can't plan, because indexes come online, is sent again; nothing else is."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from neo4j.exceptions import DatabaseError, Neo4jError

from loaders import graph
from loaders.graph import planned

# As Neo4j 5.26 said it while 500 indexes were populated.
CHANGED = "Could not compile query due to insanely frequent schema changes"
UNKNOWN = "Neo.DatabaseError.General.UnknownError"


def failing(times: int, message: str) -> tuple[list[int], Callable[[], str]]:
    tried: list[int] = []

    def work() -> str:
        tried.append(1)
        if len(tried) <= times:
            raise Neo4jError._hydrate_neo4j(code=UNKNOWN, message=message)
        return "done"

    return tried, work


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph, "_PAUSE_SECONDS", 0)


def test_a_query_that_could_not_be_planned_is_sent_again() -> None:
    tried, work = failing(3, CHANGED)
    assert planned(work) == "done"
    assert len(tried) == 4


def test_not_for_ever() -> None:
    tried, work = failing(10_000, CHANGED)
    with pytest.raises(DatabaseError, match="schema changes"):
        planned(work)
    assert len(tried) == 20


def test_another_unknown_error_is_raised_at_once() -> None:
    tried, work = failing(1, "The disk is on fire")
    with pytest.raises(DatabaseError, match="on fire"):
        planned(work)
    assert len(tried) == 1
