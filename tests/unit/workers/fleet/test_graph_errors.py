"""What `status` says of a graph that can't be written."""

from __future__ import annotations

import pytest
from neo4j.exceptions import DriverError, Neo4jError, ServiceUnavailable

from workers.fleet.loading import graph_error_text


def error(code: str, message: str) -> Neo4jError:
    return Neo4jError._hydrate_neo4j(code=code, message=message)


@pytest.mark.parametrize(
    ("why", "text"),
    [
        (ServiceUnavailable("Couldn't connect"), "the graph isn't responding (ServiceUnavailable)"),
        (
            error("Neo.ClientError.Security.Forbidden", "not allowed\nfor this user"),
            "the graph refuses: Neo.ClientError.Security.Forbidden: not allowed",
        ),
        (
            error(
                "Neo.DatabaseError.Transaction.TransactionStartFailed", "a critical error, and needs to be restarted."
            ),
            "the graph can't be written: free space on the disk of Neo4j and restart it, then the run continues "
            "(docs/operations.md, When the graph can't be written): a critical error, and needs to be restarted.",
        ),
    ],
)
def test_it_says_whether_waiting_helps_and_what_does(why: DriverError | Neo4jError, text: str) -> None:
    assert graph_error_text(why) == text
